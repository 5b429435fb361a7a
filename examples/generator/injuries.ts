/** The severe-injuries example: rows, wrong labels, duplicates. All from one seed. */
import { type Random, seededRandom } from "../../server/src/confidence/random.ts";
import { chance, expand, mistype, pick, pickWeighted, sentence } from "./grammar.ts";
import {
  type EventName,
  employerNames,
  events,
  type Industry,
  industries,
  type Nature,
  natures,
  type Part,
  partWords,
  vagueNatures,
  vagueParts,
} from "./injury-words.ts";

/** The label columns. */
export const NATURE = "NatureTitle";
export const PART = "Part of Body Title";

export interface InjuryRow {
  id: string;
  date: string;
  employer: string;
  narrative: string;
  nature: string;
  part: string;
}

/** A label in the data that is not the one that belongs there. */
export interface WrongLabel {
  id: string;
  target: string;
  given: string;
  true: string;
}

export interface Injuries {
  /** The labelled rows, wrong labels included. */
  rows: InjuryRow[];
  wrong: WrongLabel[];
  /** What is behind each of `rows`. */
  incidents: Incident[];
  /** Rows for the inbox; their labels are true and do not go into the data. */
  pool: InjuryRow[];
}

export interface InjuryOptions {
  seed: number;
  rows: number;
  pool: number;
  /** Share of labels that are wrong, of each target. */
  wrongLabels: number;
}

/** What happened, and by which words the narrative says it: all that can be known of the labels is in here. */
export interface Incident {
  industry: Industry;
  event: EventName;
  nature: Nature;
  part: Part;
  /** A group of `vagueNatures`, or undefined when the narrative is clear. */
  vagueNature: number | undefined;
  vaguePart: number | undefined;
}

const industryNames = Object.keys(industries) as Industry[];
const industryWeights: Record<Industry, number> = {
  manufacturing: 26,
  construction: 22,
  food: 14,
  warehouse: 14,
  care: 8,
  utilities: 7,
  wood: 5,
  farm: 4,
};

/** An incident before it is known whether its vague words leave anything open. */
function drawIncident(random: Random): Incident {
  const industry = pickWeighted(random, industryWeights);
  const event = pickWeighted<EventName>(random, industries[industry].events);
  const words: { natures: Partial<Record<Nature, number>>; parts: Partial<Record<Part, number>> } = events[event];
  const nature = pickWeighted<Nature>(random, words.natures);
  const weights: Partial<Record<Part, number>> = {};
  for (const [part, weight] of Object.entries(natures[nature].parts) as [Part, number][]) {
    // A part the event does not name is possible but rare.
    weights[part] = weight * (words.parts[part] ?? 0.01);
  }
  const part = pickWeighted(random, weights);
  return {
    industry,
    event,
    nature,
    part,
    vagueNature: vagueGroup(
      random,
      vagueNatures.map((group) => group.natures[nature] ?? 0),
    ),
    vaguePart: vagueGroup(
      random,
      vagueParts.map((group) => group.parts[part] ?? 0),
    ),
  };
}

/** The narratives that cannot be told apart by what they say. */
function said({ event, nature, part, vagueNature, vaguePart }: Incident): string {
  return [event, vagueNature ?? nature, vaguePart ?? part].join("|");
}

/** Vague words are kept where the likeliest label behind them is behind at most this share of the narratives. */
const OPEN = 0.72;

/**
 * Makes the function that draws incidents. Vague words are used only where they leave the label open: otherwise nearly
 * every narrative would be a little doubtful, where people find most of them plain and some of them hopeless.
 * What leaves the label open is estimated from draws.
 */
function incidentSampler(): (random: Random) => Incident {
  const random = seededRandom(1);
  const drawn = Array.from({ length: 60_000 }, () => drawIncident(random));
  const openNatures = openCells(drawn, "nature");
  const settleNature = (incident: Incident): Incident =>
    incident.vagueNature === undefined || openNatures.has(said(incident))
      ? incident
      : { ...incident, vagueNature: undefined };
  const openParts = openCells(drawn.map(settleNature), "part");
  const settlePart = (incident: Incident): Incident =>
    incident.vaguePart === undefined || openParts.has(said(incident))
      ? incident
      : { ...incident, vaguePart: undefined };
  return (source) => settlePart(settleNature(drawIncident(source)));
}

let sampler: ((random: Random) => Incident) | undefined;

/** Draws an incident. */
function sampleIncident(random: Random): Incident {
  sampler ??= incidentSampler();
  return sampler(random);
}

function openCells(incidents: readonly Incident[], key: "nature" | "part"): Set<string> {
  const cells = new Map<string, Map<string, number>>();
  for (const incident of incidents) {
    const name = said(incident);
    let cell = cells.get(name);
    if (cell === undefined) cells.set(name, (cell = new Map()));
    cell.set(incident[key], (cell.get(incident[key]) ?? 0) + 1);
  }
  const open = new Set<string>();
  for (const [name, cell] of cells) {
    const counts = [...cell.values()];
    if (Math.max(...counts) <= OPEN * counts.reduce((sum, each) => sum + each, 0)) open.add(name);
  }
  return open;
}

/** The group that is used, each with its own probability, or none. */
function vagueGroup(random: Random, probabilities: readonly number[]): number | undefined {
  let left = random.uniform();
  for (const [index, probability] of probabilities.entries()) {
    left -= probability;
    if (left < 0) return index;
  }
  return undefined;
}

/**
 * Accuracy that nobody can beat on rows without wrong labels: for every way a narrative can be put, the share of the
 * label most often behind it. Estimated from `draws` incidents.
 */
export function bestAccuracy(seed: number, draws: number): { nature: number; part: number; both: number } {
  const random = seededRandom(seed);
  const cells = new Map<
    string,
    { nature: Map<string, number>; part: Map<string, number>; both: Map<string, number> }
  >();
  for (let i = 0; i < draws; i++) {
    const incident = sampleIncident(random);
    const name = said(incident);
    let cell = cells.get(name);
    if (cell === undefined) cells.set(name, (cell = { nature: new Map(), part: new Map(), both: new Map() }));
    count(cell.nature, incident.nature);
    count(cell.part, incident.part);
    count(cell.both, `${incident.nature}|${incident.part}`);
  }
  const best = { nature: 0, part: 0, both: 0 };
  for (const cell of cells.values()) {
    for (const key of ["nature", "part", "both"] as const) best[key] += Math.max(...cell[key].values()) / draws;
  }
  return best;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const lateMentions = [
  "{who2} (landed|ended up) on {their} (back|side|knees)",
  "a coworker (hurt {their} hand|bruised {their} arm) while helping {them}",
  "{who2} also (hit {their} head|scraped {their} elbow|complained of back pain) but needed no treatment for it",
  "{their} (foot|hand|arm) was (stuck|trapped) for (several minutes|about an hour)",
];

const treatments = [
  "{who2} was (hospitalized|admitted to the hospital|taken to the hospital|transported to a local hospital)",
  "{who2} was (airlifted|taken by ambulance) to a (trauma center|hospital) (and admitted|for surgery|and kept overnight)",
  "(surgery was performed the same day|{who2} required surgery|{who2} was released after {days} days)",
  "emergency services were called and {who2} was admitted",
  "",
];

/** The narrative of an incident. The same incident gives as many narratives as there are random numbers. */
export function narrate(random: Random, incident: Incident, date: Date): string {
  const industry = industries[incident.industry];
  const event = events[incident.event];
  const [they, their, them] = pick(random, [
    ["he", "his", "him"],
    ["he", "his", "him"],
    ["she", "her", "her"],
    ["the employee", "their", "the employee"],
  ] as const);
  const partTemplate = pick(
    random,
    incident.vaguePart === undefined ? partWords[incident.part] : vagueParts[incident.vaguePart]!.words,
  );
  const part = expand(random, partTemplate, {});
  const variables = {
    who2: they,
    their,
    them,
    machine: pick(random, industry.machines),
    object: pick(random, industry.objects),
    tool: pick(random, industry.tools),
    height: String(pick(random, [4, 5, 6, 8, 10, 12, 14, 15, 18, 20, 25, 30])),
    days: String(2 + random.below(9)),
    p: withDeterminer(part, their),
  };
  const who = pick(random, [
    "an employee",
    "the employee",
    "a worker",
    `a ${pick(random, industry.jobs)}`,
    `a ${pick(random, industry.jobs)}`,
    "EE",
    "an injured employee",
    "a temporary worker",
  ]).replace(/^a (?=[aeio])/, "an ");
  const fill = (template: string) => expand(random, template, variables);

  const activity = `${who} ${fill(pick(random, event.activities))}`;
  const mechanism = fill(pick(random, event.mechanisms));
  const injury = agree(
    fill(
      pick(
        random,
        incident.vagueNature === undefined
          ? natures[incident.nature].clear
          : vagueNatures[incident.vagueNature]!.phrases,
      ),
    ),
    part,
  );
  // An injury clause that begins with the body part is a clause of its own; others need a subject.
  const ownClause = injury.startsWith(variables.p) || /^(x-rays|the skin)/.test(injury);
  const suffered = ownClause ? injury : `${they} ${injury}`;

  const sentences = [
    ...pick(random, [
      () => [`${activity} when ${mechanism || "it happened"}`, suffered],
      () => [`${activity} when ${mechanism || "it happened"} and ${suffered}`],
      () => [activity, mechanism, suffered],
      () => [`while ${activity}, ${mechanism || "it happened"}`, suffered],
      () => [
        suffered.replace(/^(he|she|the employee) /, `${who} `),
        `${they} ${activity.slice(who.length + 1)} when ${mechanism || "it happened"}`,
      ],
      () => [`${activity}. As ${mechanism || "the shift ended"}, ${suffered}`],
    ])(),
  ];
  if (chance(random, 0.15)) sentences.splice(Math.max(1, sentences.length - 1), 0, fill(pick(random, lateMentions)));
  if (chance(random, 0.75)) sentences.push(fill(pick(random, treatments)));
  let text = sentences
    .filter((each) => each !== "")
    .map(sentence)
    .join(" ");
  if (chance(random, 0.35))
    text = when(random, date) + (text.startsWith("EE ") ? text : text.charAt(0).toLowerCase() + text.slice(1));
  return text;
}

function withDeterminer(part: string, their: string): string {
  if (/^(two|three|several|both)/.test(part)) return part;
  if (/^(tip|fingertip|back of|top of)/.test(part)) return `the ${part}`;
  return `${their} ${part}`;
}

/** "was" agrees with a plural body part. */
function agree(clause: string, part: string): string {
  const plural = /^(two|three|several|both)|\band\b|s$/.test(part) && !/pelvis|of the/.test(part);
  return plural ? clause.replace(`${part} was`, `${part} were`) : clause;
}

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

function when(random: Random, date: Date): string {
  const month = months[date.getUTCMonth()]!;
  const day = date.getUTCDate();
  const hour = 1 + random.below(12);
  const minute = String(5 * random.below(12)).padStart(2, "0");
  return pick(random, [
    `On ${month} ${day}, ${date.getUTCFullYear()}, `,
    `At ${hour}:${minute} ${pick(random, ["a.m.", "p.m."])} on ${month} ${day}, `,
    `On ${date.getUTCMonth() + 1}/${day}/${date.getUTCFullYear()} at about ${hour}:${minute} `,
    `On the (morning|evening|afternoon) of ${month} ${day}, `.replace(/\((.*?)\)/, (_all, options: string) =>
      pick(random, options.split("|")),
    ),
  ]);
}

/** Makes the whole example. */
export function makeInjuries(options: InjuryOptions): Injuries {
  const random = seededRandom(options.seed);
  const employers = makeEmployers(random);
  let number = 240_000;
  const nextId = () => String((number += 1 + random.below(9)));

  const made = (first: string, days: number): { row: InjuryRow; incident: Incident } => {
    const incident = sampleIncident(random);
    const date = new Date(Date.parse(first) + random.below(days) * 86_400_000);
    let narrative = narrate(random, incident, date);
    if (chance(random, 0.12)) narrative = mistype(random, narrative);
    if (chance(random, 0.04)) narrative = mistype(random, narrative);
    if (chance(random, 0.02)) narrative = narrative.toUpperCase();
    const row: InjuryRow = {
      id: nextId(),
      date: date.toISOString().slice(0, 10),
      employer: pick(random, employers[incident.industry]),
      narrative,
      nature: incident.nature,
      part: incident.part,
    };
    return { row, incident };
  };

  const labelled = Array.from({ length: options.rows }, () => made("2024-01-01", 1000));
  addOddTexts(
    random,
    labelled.map(({ row }) => row),
  );
  addDuplicates(random, labelled);
  const wrong = mislabel(random, labelled, options.wrongLabels);
  const pool = Array.from({ length: options.pool }, () => made("2026-10-26", 14).row);
  return { rows: labelled.map(({ row }) => row), wrong, incidents: labelled.map(({ incident }) => incident), pool };
}

function makeEmployers(random: Random): Record<Industry, string[]> {
  const suffixes = ["", "", " Inc.", ", LLC", " Co.", " & Sons"];
  return Object.fromEntries(
    industryNames.map((industry) => [
      industry,
      Array.from(
        { length: 14 },
        () => `${pick(random, employerNames)} ${pick(random, industries[industry].names)}${pick(random, suffixes)}`,
      ),
    ]),
  ) as Record<Industry, string[]>;
}

/** Texts as they come out of forms, mails and copied pages: every reader and every screen has to cope with them. */
function addOddTexts(random: Random, rows: InjuryRow[]): void {
  const odd: ((text: string) => string)[] = [
    (text) => `The supervisor stated: "${text}" Nobody else saw it.`,
    (text) => text.replaceAll(". ", ".\n"),
    (text) => `<p>${text.replace(". ", ".</p>\n<p>")}</p>`,
    (text) => `${text} <script>alert("not run")</script>`,
    (text) => `${text} 🚑🩹`,
    (text) => `${text} (العامل في المستشفى الآن)`,
    (text) => `הדיווח תורגם: ${text}`,
    (text) => `${text} Témoin : M. Lefèvre — « rien vu ».`,
    (text) => `=HYPERLINK("#") ${text}`,
    (text) => `  ${text}\t`,
    (text) => `${text} 温度は38°Cだった。`,
    (text) => `${text} [photo: C:\\reports\\img_0042.jpg]`,
  ];
  for (const [index, change] of [...odd, ...odd].entries()) {
    // Spread over the file, so that every page and every split has some.
    const row = rows[Math.floor(((index + random.uniform()) * rows.length) / (2 * odd.length))]!;
    row.narrative = change(row.narrative);
  }
}

/** Reports that were filed twice: word for word, or with a small change. */
function addDuplicates(random: Random, made: { row: InjuryRow; incident: Incident }[]): void {
  const count = Math.round(made.length * 0.02);
  for (let i = 0; i < count; i++) {
    const from = made[random.below(made.length)]!;
    const at = random.below(made.length);
    if (made[at] === from) continue;
    const narrative = chance(random, 0.5) ? from.row.narrative : mistype(random, from.row.narrative);
    made[at] = { incident: from.incident, row: { ...from.row, id: made[at]!.row.id, narrative } };
  }
}

/**
 * Replaces labels by wrong ones. Most stand on rows whose narrative is vague, where people err most, and are mostly a
 * label that the words would allow; the others are slips and stand anywhere.
 */
function mislabel(
  random: Random,
  made: readonly { row: InjuryRow; incident: Incident }[],
  share: number,
): WrongLabel[] {
  const wrong: WrongLabel[] = [];
  const count = Math.round(made.length * share);
  const targets = [
    {
      target: NATURE,
      key: "nature",
      vague: "vagueNature",
      groups: vagueNatures.map((group) => Object.keys(group.natures)),
      labels: Object.keys(natures),
    },
    {
      target: PART,
      key: "part",
      vague: "vaguePart",
      groups: vagueParts.map((group) => Object.keys(group.parts)),
      labels: Object.keys(partWords),
    },
  ] as const;
  for (const { target, key, vague, groups, labels } of targets) {
    const frequency: Record<string, number> = {};
    for (const label of labels) frequency[label] = made.filter(({ row }) => row[key] === label).length;
    const unclear = made.filter(({ incident }) => incident[vague] !== undefined);
    const touched = new Set<InjuryRow>();
    while (touched.size < count) {
      const { row, incident } = touched.size < 0.9 * count ? pick(random, unclear) : pick(random, made);
      if (touched.has(row)) continue;
      touched.add(row);
      const group = incident[vague] === undefined ? [] : groups[incident[vague]]!;
      const others = (group.length > 1 && chance(random, 0.7) ? group : labels).filter((label) => label !== row[key]);
      const given = pickWeighted(
        random,
        Object.fromEntries(others.map((label) => [label, (frequency[label] ?? 0) + 5])),
      );
      wrong.push({ id: row.id, target, given, true: row[key] });
      row[key] = given;
    }
  }
  return wrong.sort((a, b) => Number(a.id) - Number(b.id) || (a.target < b.target ? -1 : 1));
}
