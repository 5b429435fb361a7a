/**
 * The project file, `.clf.yaml`: its shape, and the description, default and example of every field.
 * Completion, hover, the committed JSON Schema and docs/project-file.md are all made from this file.
 */
import * as z from "zod";

/** The project-file version this build writes. Older ones are migrated when read (server/src/project/migrate.ts). */
export const PROJECT_VERSION = 1;

const name = z.string().trim().min(1).max(200);
const file = z.string().min(1).max(4096);
const fraction = z.number().min(0).max(1);
const probability = z.number().gt(0).lt(1);
const ngrams = z.tuple([z.int().min(1).max(8), z.int().min(1).max(8)]);

const files = z.union([file, z.array(file).min(1).max(1000)]);

export const Source = z
  .union([
    files,
    z.strictObject({
      train: files.meta({ description: "File or files of the train split.", examples: ["data/train.csv"] }),
      validation: files.optional().meta({
        description: "File or files of the validation split. Without it, `split.validation` is carved from train.",
        examples: ["data/validation.csv"],
      }),
      test: files.optional().meta({
        description: "File or files of the test split. Without it, `split.test` is carved from train.",
        examples: ["data/test.csv"],
      }),
    }),
  ])
  .meta({
    description:
      "The labelled data: a path, a glob, a list of them, or `{train, validation, test}`. csv, tsv, jsonl, json or parquet, optionally gzipped. Paths are relative to the project file's folder and may not leave it.",
    examples: ["data/injuries.csv", "data/*.jsonl", { train: "data/train.csv", test: "data/test.csv" }],
  });

export const Split = z
  .strictObject({
    train: fraction
      .optional()
      .meta({ description: "Share of rows that models are fitted on. Default 0.64.", examples: [0.64] }),
    validation: fraction.optional().meta({
      description:
        "Share of rows for calibrating and certifying, nothing else. Default 0.16. With 0, out-of-fold probabilities of the train rows serve (engine `linear` only).",
      examples: [0.16, 0],
    }),
    test: fraction
      .optional()
      .meta({ description: "Share of rows for reporting, nothing else. Default 0.20.", examples: [0.2] }),
    tune: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.1)
      .meta({
        description:
          "Share of train that is kept for choices: early stopping, regularisation, shots, the calibrator, the grid of thresholds.",
        examples: [0.1],
      }),
    seed: z
      .int()
      .min(0)
      .max(4294967295)
      .default(42)
      .meta({
        description: "Seed of the assignment. It places new rows; rows that have a split never move.",
        examples: [42],
      }),
    column: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          "A column that names each row's split: train, validation or test. Excludes the three shares. Without it, rows are divided by share.",
        examples: ["split"],
      }),
  })
  .meta({
    description:
      "How rows are divided. Splits are stratified, keep groups and duplicates together, and are saved beside the project (`<project>.splits.jsonl`).",
    examples: [{ train: 0.64, validation: 0.16, test: 0.2, seed: 42 }],
  });

export const Sampling = z
  .strictObject({
    strategy: z
      .enum(["natural", "balanced", "undersample"])
      .default("natural")
      .meta({
        description:
          "`natural` keeps every row; `balanced` takes equal numbers of the most frequent labels; `undersample` cuts frequent labels to `max_ratio` times the rarest.",
        examples: ["natural", "balanced", "undersample"],
      }),
    min_examples: z
      .int()
      .min(1)
      .default(1)
      .meta({ description: "Labels with fewer train rows than this are left out of training.", examples: [50] }),
    labels: z
      .int()
      .min(2)
      .optional()
      .meta({ description: "`balanced`: how many of the most frequent labels. Without it, all.", examples: [10] }),
    per_label: z
      .int()
      .min(1)
      .optional()
      .meta({
        description: "`balanced`: rows a label at most. Without it, as many as the rarest label has.",
        examples: [500],
      }),
    max_ratio: z
      .number()
      .min(1)
      .optional()
      .meta({
        description:
          "`undersample`, which needs it: the most frequent label has at most this many times the rows of the rarest.",
        examples: [5],
      }),
    target: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "The target that is balanced. Default: the first.", examples: ["NatureTitle"] }),
    apply: z
      .enum(["train", "all"])
      .default("train")
      .meta({
        description:
          "`train`: rows of dropped labels stay in validation and test and count as errors. `all`: they are dropped there too (what published experiments did); nothing is certified then.",
        examples: ["train"],
      }),
  })
  .meta({
    description: "Which train rows are used.",
    examples: [
      { strategy: "natural", min_examples: 50 },
      { strategy: "balanced", labels: 10, per_label: 500 },
    ],
  });

export const Dataset = z
  .strictObject({
    source: Source,
    pool: files.optional().meta({
      description: "New rows without labels, to predict and review: a path, a glob or a list.",
      examples: ["inbox/*.csv"],
    }),
    id: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: "The column that identifies a row. Without it, the id is a hash of the row's inputs.",
        examples: ["report_id"],
      }),
    group: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          "Rows that share this column's value never straddle splits. Without it, each row stands for itself.",
        examples: ["employer"],
      }),
    split: Split.prefault({}),
    sampling: Sampling.prefault({}),
  })
  .meta({
    description: "Where the rows are and how they are divided.",
    examples: [{ source: "data/injuries.csv", id: "report_id" }],
  });

export const Input = z
  .union([
    z.string().min(1),
    z.strictObject({
      column: z
        .string()
        .min(1)
        .meta({ description: "The column's name in the data.", examples: ["Employer"] }),
      name: name
        .optional()
        .meta({ description: "What prompts and screens call it. Default: the column.", examples: ["employer"] }),
    }),
  ])
  .meta({
    description: "A column that models read.",
    examples: ["Final Narrative", { column: "Employer", name: "employer" }],
  });

export const Label = z
  .union([
    z.string().min(1),
    z.strictObject({
      name: z
        .string()
        .min(1)
        .meta({ description: "The label, as it stands in the data.", examples: ["Toe"] }),
      description: z
        .string()
        .max(2000)
        .optional()
        .meta({
          description:
            "What belongs under this label. Used by prompts and shown in review. Without it, the name must do.",
          examples: ["Toes and toenails"],
        }),
      aliases: z
        .array(z.string().min(1))
        .max(100)
        .optional()
        .meta({
          description: "Other spellings that are read as this label. Without it, only the label itself is.",
          examples: [["toes"]],
        }),
    }),
  ])
  .meta({ description: "One class of a target.", examples: ["Finger", { name: "Toe", aliases: ["toes"] }] });

/** A `labels:` list, or the file that holds one (`labels: labels.yaml`). */
export const LabelList = z.array(Label).min(2).max(10_000);

export const Target = z
  .strictObject({
    column: z
      .string()
      .min(1)
      .meta({ description: "The label column.", examples: ["NatureTitle"] }),
    name: name
      .optional()
      .meta({ description: "What reports and prompts call it. Default: the column.", examples: ["nature"] }),
    labels: z
      .union([LabelList, file])
      .optional()
      .meta({
        description:
          "The labels allowed, or a YAML file with the list. Without it: every label found in the data. Cells with any other value count as unlabelled and are reported.",
        examples: [["Finger", "Toe"], "labels.yaml"],
      }),
    never: z
      .array(z.string().min(1))
      .optional()
      .meta({
        description: "Labels that are never accepted without a person. Default: none.",
        examples: [["Fatality"]],
      }),
    risk: z
      .record(z.string(), probability)
      .optional()
      .meta({
        description: "A stricter risk for some labels. Default: that of `confidence.accept`.",
        examples: [{ Amputation: 0.01 }],
      }),
  })
  .meta({ description: "A label column that models predict. Each row has one label per target." });

export const Task = z
  .strictObject({
    instructions: z
      .string()
      .max(20_000)
      .optional()
      .meta({
        description: "What is asked. Used by prompts. Default: a sentence made of the targets' names.",
        examples: ["Classify the workplace injury."],
      }),
    inputs: z
      .array(Input)
      .min(1)
      .max(64)
      .meta({ description: "The columns that models read.", examples: [["Final Narrative"]] }),
    targets: z
      .array(Target)
      .min(1)
      .max(32)
      .meta({ description: "The label columns that models predict.", examples: [[{ column: "NatureTitle" }]] }),
  })
  .meta({
    description: "What is read and what is predicted.",
    examples: [{ inputs: ["Final Narrative"], targets: [{ column: "NatureTitle" }] }],
  });

const host = z
  .string()
  .min(1)
  .optional()
  .meta({ description: "Where its jobs run: a name under `hosts`, or `local` (the default).", examples: ["a10g"] });
const engine = <Name extends string>(name: Name) =>
  z.literal(name).meta({ description: "How the model is made; decides which other keys there are.", examples: [name] });
const epochs = z.number().min(0).max(1000);

export const LinearModel = z
  .strictObject({
    engine: engine("linear"),
    regularisation: z
      .union([z.literal("auto"), z.number().gt(0).max(1e6)])
      .default("auto")
      .meta({
        description:
          "Inverse regularisation strength, scikit-learn's C. `auto` chooses it by log loss on the tune rows.",
        examples: ["auto", 10],
      }),
    class_weight: z
      .enum(["none", "balanced"])
      .default("none")
      .meta({
        description: "`balanced` weighs a label's rows inversely to their frequency.",
        examples: ["none"],
      }),
    word_ngrams: ngrams.default([1, 2]).meta({ description: "Shortest and longest word n-gram.", examples: [[1, 2]] }),
    char_ngrams: ngrams
      .default([2, 5])
      .meta({ description: "Shortest and longest character n-gram.", examples: [[2, 5]] }),
    folds: z
      .int()
      .min(2)
      .max(20)
      .default(5)
      .meta({ description: "Folds of the out-of-fold probabilities.", examples: [5] }),
  })
  .meta({ description: "Multinomial logistic regression on TF-IDF n-grams, embedded: no GPU, no key, seconds." });

const Shots = z.strictObject({
  strategy: z
    .enum(["targeted", "random", "per-label", "similar"])
    .default("targeted")
    .meta({
      description:
        "How examples are chosen: for the labels most often wrong, at random, per label, or nearest to the row.",
      examples: ["targeted"],
    }),
  labels_per_target: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .meta({ description: "`targeted`: labels that get examples.", examples: [3] }),
  per_label: z
    .int()
    .min(1)
    .max(50)
    .default(1)
    .meta({ description: "Examples a label.", examples: [1] }),
  count: z
    .int()
    .min(1)
    .max(200)
    .optional()
    .meta({
      description: "`random`, `similar`: how many examples. Without it, `per_label` for each label.",
      examples: [8],
    }),
  after: z
    .string()
    .optional()
    .meta({
      description: "`targeted`, which needs it: the zero-shot model whose errors on tune rows are counted.",
      examples: ["zero-shot"],
    }),
});

export const Prompt = z
  .strictObject({
    style: z
      .enum(["zero-shot", "few-shot", "chain-of-thought"])
      .default("zero-shot")
      .meta({
        description: "What the prompt holds besides the row.",
        examples: ["zero-shot", "few-shot", "chain-of-thought"],
      }),
    template: file.optional().meta({
      description: "Your own template file. Without it, the built-in prompt.",
      examples: ["prompts/injury.txt"],
    }),
    role: z
      .enum(["system", "user"])
      .default("system")
      .meta({ description: "The role that carries the instructions.", examples: ["system"] }),
    codes: z
      .boolean()
      .default(false)
      .meta({ description: "Map labels to short distinct codes, so that one token decides.", examples: [true] }),
    answer: z
      .enum(["auto", "json", "text"])
      .default("auto")
      .meta({
        description:
          "What the model is asked to write: `text` the label alone (one target only), `json` an object with a field a target. `auto`: json for several targets or where the endpoint keeps to a schema, else text.",
        examples: ["auto"],
      }),
    shots: Shots.optional().meta({
      description: "Which examples a few-shot prompt shows. They come from train. Without it, the prompt shows none.",
      examples: [{ strategy: "targeted", labels_per_target: 3, after: "zero-shot" }],
    }),
  })
  .meta({ description: "The prompt.", examples: [{ style: "zero-shot" }] });

export const ModelConfidence = z
  .strictObject({
    signal: z
      .enum(["auto", "logprobs", "votes"])
      .default("auto")
      .meta({
        description:
          "Where the score comes from: token log-probabilities, the share of n sampled answers, or whichever the endpoint allows.",
        examples: ["votes"],
      }),
    samples: z
      .int()
      .min(1)
      .max(100)
      .default(5)
      .meta({ description: "`votes`: sampled answers a row.", examples: [5] }),
    temperature: z
      .number()
      .gt(0)
      .max(2)
      .default(1)
      .meta({
        description: "`votes`: sampling temperature. At 0 all samples would be the same answer.",
        examples: [1],
      }),
    length_bias: z
      .enum(["none", "geometric", "content-free"])
      .default("none")
      .meta({
        description:
          "`logprobs`, against the favour that short or frequent labels enjoy: `geometric` takes the mean a token, `content-free` divides by what the model says of an empty row.",
        examples: ["content-free"],
      }),
  })
  .meta({ description: "How this model's score is taken.", examples: [{ signal: "votes", samples: 5 }] });

const timeout = z
  .number()
  .gt(0)
  .max(3600)
  .default(60)
  .meta({ description: "Seconds until a request is given up.", examples: [60] });

const budget = (job: string) =>
  z
    .number()
    .gt(0)
    .optional()
    .meta({
      description: `Dollars after which ${job} stops cleanly. Without it, there is no limit.`,
      examples: [5],
    });

export const ChatModel = z
  .strictObject({
    engine: engine("chat"),
    endpoint: z
      .string()
      .min(1)
      .meta({ description: "A name under `endpoints`.", examples: ["openai"] }),
    model: z
      .string()
      .min(1)
      .meta({ description: "The model's name at that endpoint.", examples: ["gpt-4o-mini"] }),
    prompt: Prompt.prefault({}),
    confidence: ModelConfidence.prefault({}),
    temperature: z
      .number()
      .min(0)
      .max(2)
      .default(0)
      .meta({ description: "Sampling temperature.", examples: [0] }),
    max_tokens: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .meta({
        description:
          "Longest answer, in tokens. Without it, room for the longest label; where the model reasons, the endpoint's own limit.",
        examples: [256],
      }),
    reasoning_effort: z
      .enum(["minimal", "low", "medium", "high"])
      .optional()
      .meta({
        description: "How long a reasoning model thinks. Without it, the endpoint's default.",
        examples: ["low"],
      }),
    seed: z
      .int()
      .min(0)
      .max(2147483647)
      .optional()
      .meta({
        description: "Seed sent with each request, for endpoints that heed it. Default: that of the split.",
        examples: [7],
      }),
    timeout,
    budget: budget("the job"),
    batch: z
      .boolean()
      .default(false)
      .meta({
        description: "Send the rows through the endpoint's Batch API first: cheaper, within a day.",
        examples: [false],
      }),
  })
  .meta({ description: "A prompted model behind an OpenAI-compatible endpoint." });

export const OpenAIModel = z
  .strictObject({
    engine: engine("openai"),
    base: z
      .string()
      .min(1)
      .meta({ description: "The model that is fine-tuned.", examples: ["gpt-4o-mini-2024-07-18"] }),
    endpoint: z
      .string()
      .min(1)
      .default("openai")
      .meta({ description: "A name under `endpoints`.", examples: ["openai"] }),
    epochs: z
      .union([z.literal("auto"), epochs])
      .default("auto")
      .meta({ description: "Passes over train.", examples: [3] }),
    learning_rate_multiplier: z
      .union([z.literal("auto"), z.number().gt(0).max(100)])
      .default("auto")
      .meta({ description: "Scale of the endpoint's own learning rate.", examples: [1.8] }),
    batch_size: z
      .union([z.literal("auto"), z.int().min(1).max(1024)])
      .default("auto")
      .meta({ description: "Rows an optimiser step.", examples: [8] }),
    timeout,
    budget: budget("a prediction job"),
    confidence: ModelConfidence.prefault({}),
  })
  .meta({ description: "A model fine-tuned through the OpenAI fine-tuning API." });

export const QloraModel = z
  .strictObject({
    engine: engine("qlora"),
    base: z
      .string()
      .min(1)
      .meta({
        description: "A Hugging Face causal language model: its name, or a folder.",
        examples: ["Qwen/Qwen2.5-7B-Instruct"],
      }),
    gguf_file: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: "A GGUF file inside `base`. Without it, the model's own weights.",
        examples: ["model-q8_0.gguf"],
      }),
    head: z
      .enum(["label-text", "classifier"])
      .default("label-text")
      .meta({
        description: "`label-text` writes the label; `classifier` puts one softmax head a target on the same body.",
        examples: ["label-text"],
      }),
    host,
    lora: z
      .strictObject({
        rank: z
          .int()
          .min(1)
          .max(1024)
          .default(16)
          .meta({ description: "Rank of the adapter matrices.", examples: [16] }),
        alpha: z
          .number()
          .gt(0)
          .default(32)
          .meta({ description: "Scale of the adapter.", examples: [32] }),
        dropout: z
          .number()
          .min(0)
          .lt(1)
          .default(0.05)
          .meta({ description: "Dropout of the adapter's input.", examples: [0.05] }),
        target_modules: z
          .union([z.literal("all-linear"), z.array(z.string())])
          .default("all-linear")
          .meta({ description: "Which layers get an adapter.", examples: ["all-linear", ["q_proj", "v_proj"]] }),
      })
      .prefault({})
      .meta({ description: "The low-rank adapter.", examples: [{ rank: 16, alpha: 32, dropout: 0.05 }] }),
    quantization: z
      .enum(["nf4", "none"])
      .default("nf4")
      .meta({
        description: "`nf4`: 4-bit base weights with double quantisation. `none`: plain LoRA.",
        examples: ["nf4"],
      }),
    epochs: epochs.default(2).meta({ description: "Passes over train. 0 is the untuned base model.", examples: [2] }),
    learning_rate: z
      .number()
      .gt(0)
      .lt(1)
      .default(2e-4)
      .meta({ description: "Peak learning rate.", examples: [0.0002] }),
    batch_size: z
      .int()
      .min(1)
      .max(4096)
      .default(16)
      .meta({ description: "Rows an optimiser step.", examples: [16] }),
    max_tokens: z
      .int()
      .min(16)
      .max(131072)
      .default(512)
      .meta({ description: "Longest prompt and answer, in tokens.", examples: [512] }),
    class_weight: z
      .enum(["none", "balanced"])
      .default("none")
      .meta({ description: "`balanced` weighs a label's rows inversely to their frequency.", examples: ["balanced"] }),
  })
  .meta({ description: "A local language model fine-tuned with QLoRA, on this machine's GPU or a remote host's." });

export const PredictionsModel = z
  .strictObject({
    engine: engine("predictions"),
    source: file.meta({
      description: "A csv, tsv, jsonl or parquet file of another system's output.",
      examples: ["preds.parquet"],
    }),
    id: z
      .string()
      .optional()
      .meta({
        description: "The column that holds the row id. Default: the dataset's `id`, else the inputs are matched.",
        examples: ["report_id"],
      }),
    targets: z
      .record(
        z.string(),
        z.strictObject({
          label: z
            .string()
            .optional()
            .meta({
              description: "Column of the predicted label. Without it, the likeliest.",
              examples: ["prediction"],
            }),
          probability: z
            .string()
            .optional()
            .meta({
              description: "Column of its probability. Without it, `probabilities` or `logits` tell.",
              examples: ["probability"],
            }),
          probabilities: z
            .record(z.string(), z.string())
            .optional()
            .meta({
              description: "Label to column, a probability a label. Without it, only `label` is known.",
              examples: [{ Burns: "p_burns", Fractures: "p_fractures" }],
            }),
          logits: z
            .record(z.string(), z.string())
            .optional()
            .meta({
              description: "Label to column, a logit a label; instead of `probabilities`. Default: none.",
              examples: [{ Burns: "logit_burns", Fractures: "logit_fractures" }],
            }),
        }),
      )
      .optional()
      .meta({
        description: "Which columns belong to which target. Default: a column named like the target holds the label.",
        examples: [{ NatureTitle: { label: "prediction", probability: "probability" } }],
      }),
  })
  .meta({ description: "Any other system's predictions: they get everything that our own models get." });

export const CascadeModel = z
  .strictObject({
    engine: engine("cascade"),
    stages: z
      .array(z.string().min(1))
      .min(2)
      .max(5)
      .meta({
        description: "Models, cheapest first. Each sees only what the one before did not take.",
        examples: [["baseline", "tuned-qwen"]],
      }),
    agree: z
      .boolean()
      .default(false)
      .meta({
        description:
          "Every stage sees every row, and the last decides. Rows on which a stage gives another label are flagged, never accepted: models disagree.",
        examples: [true],
      }),
    take: probability.optional().meta({
      description:
        "A stage takes the rows whose confidence, calibrated on tune rows, is at least this. Default: 1 less `confidence.accept.risk`, or its `threshold`.",
      examples: [0.95],
    }),
  })
  .meta({ description: "The cheap model takes what it is surest of; the next sees only the rest." });

export const Model = z.discriminatedUnion("engine", [
  LinearModel,
  ChatModel,
  OpenAIModel,
  QloraModel,
  PredictionsModel,
  CascadeModel,
]);
export type Model = z.output<typeof Model>;
export type Engine = Model["engine"];

export const Price = z.strictObject({
  input_per_million: z
    .number()
    .min(0)
    .meta({ description: "Dollars per million prompt tokens.", examples: [3] }),
  output_per_million: z
    .number()
    .min(0)
    .meta({ description: "Dollars per million completion tokens.", examples: [15] }),
  cached_input_per_million: z
    .number()
    .min(0)
    .optional()
    .meta({
      description: "Dollars per million cached prompt tokens. Default: as other prompt tokens.",
      examples: [0.3],
    }),
  batch_discount: fraction.optional().meta({
    description: "Share by which the Batch API is cheaper. Default: 0.",
    examples: [0.5],
  }),
  training_per_million: z
    .number()
    .min(0)
    .optional()
    .meta({ description: "Dollars per million trained tokens. Without it, training has no price.", examples: [3] }),
});
export type Price = z.output<typeof Price>;

export const Endpoint = z
  .strictObject({
    base_url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta({ description: "Where the API is. Default: OpenAI's.", examples: ["http://localhost:8000/v1"] }),
    key: z
      .string()
      .regex(
        /^[A-Za-z_][A-Za-z0-9_]*$/,
        "the name of an environment variable or secret (letters, digits and underscores), never the key itself",
      )
      .optional()
      .meta({
        // What stands here by mistake may be a key: messages do not repeat it.
        writeOnly: true,
        description:
          "NAME of the environment variable or secret that holds the key, never the key itself. Default: `OPENAI_API_KEY` at OpenAI's own address, else no key.",
        examples: ["OPENAI_API_KEY"],
      }),
    logprobs: z
      .int()
      .min(0)
      .max(20)
      .optional()
      .meta({
        description: "How many alternatives a token the endpoint can return; 0 if none. Default: it is asked.",
        examples: [20],
      }),
    concurrency: z
      .int()
      .min(1)
      .max(1000)
      .default(8)
      .meta({
        description: "Requests in flight at most. Fewer while the endpoint says that it is too many.",
        examples: [8],
      }),
    structured: z
      .boolean()
      .optional()
      .meta({
        description: "Whether answers can be held to a JSON schema. Default: it is tried.",
        examples: [true],
      }),
    price: Price.optional().meta({
      description:
        "Dollars per million tokens. Default: that of Clf's dated table, for the few models in it; else costs are not shown.",
      examples: [{ input_per_million: 3, output_per_million: 15 }],
    }),
  })
  .meta({ description: "An OpenAI-compatible chat endpoint." });
export type Endpoint = z.output<typeof Endpoint>;

const pricePerHour = z
  .number()
  .min(0)
  .optional()
  .meta({ description: "Dollars an hour, for cost figures. Without it, costs are not shown.", examples: [1] });

const kind = <Name extends string>(name: Name) =>
  z
    .literal(name)
    .meta({ description: "How the host is reached; decides which other keys there are.", examples: [name] });

export const SshHost = z.strictObject({
  kind: kind("ssh"),
  address: z
    .string()
    .regex(/^(?!-)[A-Za-z0-9._@:[\]%-]+$/, "an ssh address: host, user@host, or a name from your ssh config")
    .meta({ description: "A host of your ssh config, or user@host.", examples: ["ubuntu@a10g"] }),
  workdir: z
    .string()
    .regex(/^(?!-)[^\n\r\0]+$/)
    .default("~/clf")
    .meta({ description: "Folder on the host for jobs and environments.", examples: ["~/clf"] }),
  price_per_hour: pricePerHour,
});
export const RayHost = z.strictObject({
  kind: kind("ray"),
  address: z
    .string()
    .min(1)
    .meta({ description: "The Ray dashboard's address.", examples: ["http://ray-head:8265"] }),
  price_per_hour: pricePerHour,
});
export const SlurmHost = z.strictObject({
  kind: kind("slurm"),
  address: z
    .string()
    .regex(/^(?!-)[A-Za-z0-9._@:[\]%-]+$/, "an ssh address: host, user@host, or a name from your ssh config")
    .meta({ description: "The login node's ssh address.", examples: ["me@login.example.org"] }),
  partition: z
    .string()
    .optional()
    .meta({ description: "The partition. Default: the cluster's own.", examples: ["gpu"] }),
  price_per_hour: pricePerHour,
});
export const Host = z
  .discriminatedUnion("kind", [SshHost, RayHost, SlurmHost])
  .meta({ description: "A machine that runs jobs." });
export type Host = z.output<typeof Host>;

export const Accept = z
  .strictObject({
    risk: probability
      .optional()
      .meta({ description: "Share of accepted rows that may be wrong, at most. Default 0.05.", examples: [0.05] }),
    certainty: probability.optional().meta({ description: "How sure that must be. Default 0.95.", examples: [0.95] }),
    threshold: fraction.optional().meta({
      description: "A plain threshold on the confidence, without a guarantee. Excludes `risk`. Default: none.",
      examples: [0.9],
    }),
    scope: z
      .enum(["row", "target"])
      .default("row")
      .meta({
        description: "`row`: a row goes through only if every target is right. `target`: each target for itself.",
        examples: ["row"],
      }),
  })
  .meta({
    description: "When a prediction goes straight through.",
    examples: [{ risk: 0.05, certainty: 0.95 }, { threshold: 0.9 }],
  });

export const Confidence = z
  .strictObject({
    calibration: z
      .enum(["auto", "none", "temperature", "platt", "isotonic", "histogram"])
      .default("auto")
      .meta({
        description: "How the score becomes a probability. `auto` chooses on the tune rows.",
        examples: ["auto"],
      }),
    accept: Accept.prefault({ risk: 0.05, certainty: 0.95 }),
    audit: fraction
      .default(0.02)
      .meta({ description: "Share of accepted rows that are reviewed all the same.", examples: [0.02] }),
    sets: z
      .strictObject({
        method: z
          .enum(["lac", "aps"])
          .default("lac")
          .meta({
            description: "`lac`: the smallest sets. `aps`: larger ones for harder rows.",
            examples: ["lac"],
          }),
        coverage: z
          .number()
          .gt(0)
          .lt(1)
          .default(0.9)
          .meta({ description: "Share of flagged rows whose right label is in the set.", examples: [0.9] }),
      })
      .prefault({})
      .meta({
        description: "The labels that are marked in review: the right one is among them that often.",
        examples: [{ method: "lac", coverage: 0.9 }],
      }),
    price: z
      .strictObject({
        error: z
          .number()
          .min(0)
          .meta({ description: "Price of an accepted row that is wrong.", examples: [20] }),
        review: z
          .number()
          .min(0)
          .meta({ description: "Price of reviewing a row.", examples: [0.5] }),
      })
      .optional()
      .meta({
        description:
          "What an error and a review cost, in any one currency. With it the report shows the threshold of least cost beside the certified one. Default: none.",
        examples: [{ error: 20, review: 0.5 }],
      }),
  })
  .meta({
    description: "Calibration and the accept rule.",
    examples: [{ calibration: "auto", accept: { risk: 0.05, certainty: 0.95 } }],
  });

export const Review = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: "The model behind Flagged and inline confidence. Default: the first model.",
        examples: ["tuned-qwen"],
      }),
    order: z
      .enum(["margin", "confidence", "label-issues", "informative", "random", "file"])
      .default("margin")
      .meta({
        description:
          "Order of the flagged rows: smallest margin first, lowest confidence first, likely label errors first, uncertain rows that stand for many others first (informative), at random, or as in the file.",
        examples: ["margin"],
      }),
    relabel: z
      .int()
      .min(0)
      .max(100_000)
      .default(200)
      .meta({
        description:
          "Validation rows that are drawn to be labelled again, blind, when somebody asks for them: how wrong the given labels are.",
        examples: [200],
      }),
    decisions: file.default("reviews.jsonl").meta({
      description: "The decisions file: append-only, one line a decision, made for git.",
      examples: ["reviews.jsonl"],
    }),
  })
  .meta({ description: "How flagged rows are reviewed.", examples: [{ model: "tuned-qwen", order: "margin" }] });

const entryName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "letters, digits, dots, dashes and underscores, 64 at most");

export const ProjectFile = z
  .strictObject({
    version: z.literal(PROJECT_VERSION).meta({ description: "Version of the project format.", examples: [1] }),
    name: name
      .optional()
      .meta({ description: "The project's name. Default: the file's name.", examples: ["severe-injuries"] }),
    dataset: Dataset,
    task: Task,
    models: z
      .record(entryName, Model)
      .default({ baseline: Model.parse({ engine: "linear" }) })
      .meta({ description: "The models, by name.", examples: [{ baseline: { engine: "linear" } }] }),
    endpoints: z
      .record(entryName, Endpoint)
      .default({})
      .meta({ description: "OpenAI-compatible chat endpoints, by name.", examples: [{ openai: {} }] }),
    hosts: z
      .record(entryName, Host)
      .default({})
      .meta({
        description: "Machines that run jobs, by name. `local` is always there.",
        examples: [{ a10g: { kind: "ssh", address: "ubuntu@a10g" } }],
      }),
    confidence: Confidence.prefault({}),
    review: Review.prefault({}),
  })
  .meta({ title: "Clf project", description: "A text-classification project." });

/** The file as a person writes it. */
export type ProjectFileInput = z.input<typeof ProjectFile>;
/** The file with every default filled in. */
export type ProjectFile = z.output<typeof ProjectFile>;
