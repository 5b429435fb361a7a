/** The power-outages example: eight inputs, three targets. All invented, from one seed. */
import { type Random, seededRandom } from "../../server/src/confidence/random.ts";
import { chance, expand, mistype, pick, pickWeighted, sentence } from "./grammar.ts";

export const outageColumns = [
  "outage_id",
  "Utility",
  "Region",
  "Began",
  "Duration (h)",
  "Customers",
  "Voltage (kV)",
  "Weather",
  "Remarks",
  "Cause",
  "Object damaged",
  "Damage type",
] as const;

export type OutageRow = Record<(typeof outageColumns)[number], string>;

interface Cause {
  weight: number;
  weather: Partial<Record<Weather, number>>;
  objects: Partial<Record<ObjectName, number>>;
  damages: Partial<Record<Damage, number>>;
  /** Clear remarks; {object} is what was damaged. */
  clear: readonly string[];
  months: readonly number[];
}

type Weather = keyof typeof weathers;
type ObjectName = keyof typeof objects;
type Damage = keyof typeof damages;
type CauseName = keyof typeof causes;

const weathers = {
  Clear: ["clear", "Clear", "fair"],
  Rain: ["rain", "heavy rain", "showers"],
  Wind: ["high wind", "gusts 45 mph", "windy"],
  Thunderstorm: ["thunderstorm", "lightning", "t-storm"],
  Snow: ["snow", "ice", "freezing rain"],
  Heat: ["hot", "101 F", "heat wave"],
} as const;

const objects = {
  "Overhead conductor": {
    words: ["primary", "overhead line", "span of wire", "conductor", "service drop"],
    kv: [12, 12, 25, 4],
  },
  Pole: { words: ["pole", "wooden pole", "pole and crossarm"], kv: [12, 12, 25, 69] },
  Transformer: { words: ["transformer", "pole-top transformer", "pad-mount transformer", "XFMR"], kv: [12, 25, 4] },
  "Underground cable": { words: ["UG cable", "underground cable", "cable splice", "buried primary"], kv: [12, 25, 12] },
  Insulator: { words: ["insulator", "pin insulator", "bushing"], kv: [12, 69, 138] },
  "Fuse or cutout": { words: ["fuse", "cutout", "lateral fuse"], kv: [12, 4, 12] },
  "Circuit breaker": { words: ["breaker", "circuit breaker", "recloser"], kv: [12, 69, 138] },
  "Substation equipment": {
    words: ["substation bus", "regulator", "substation switch", "relay panel"],
    kv: [69, 138, 230],
  },
  "Transmission tower": { words: ["tower", "lattice tower", "steel structure"], kv: [138, 230, 345] },
  "Nothing damaged": { words: ["equipment", "line", "feeder"], kv: [12, 25, 69] },
} as const;

const damages = {
  Broken: ["broke", "snapped", "found broken", "cracked"],
  Burned: ["burned", "burned open", "caught fire", "found charred"],
  "Shorted out": ["faulted", "shorted", "flashed over", "arced"],
  "Blown or tripped": ["blew", "tripped", "locked out", "opened"],
  Downed: ["came down", "on the ground", "down", "leaning and low"],
  "Failed internally": ["failed", "failed internally", "leaking oil", "no longer held"],
  "Not damaged": ["no damage found", "reset and held", "restored by switching", "intact"],
} as const;

const anyWeather = { Clear: 6, Rain: 2, Wind: 1, Thunderstorm: 1, Snow: 1, Heat: 1.5 } as const;

const causes = {
  "Tree contact": {
    weight: 24,
    weather: { Wind: 5, Rain: 3, Thunderstorm: 3, Snow: 3, Clear: 2 },
    objects: { "Overhead conductor": 12, Pole: 2, "Fuse or cutout": 4, Transformer: 0.6, "Circuit breaker": 1 },
    damages: { Downed: 7, Broken: 3, "Blown or tripped": 5, "Shorted out": 3, "Not damaged": 1 },
    clear: [
      "(tree|limb|branch|large oak) (fell on|on|into) {object}",
      "vegetation in {object}",
      "(tree|palm frond) made contact with {object}",
    ],
    months: [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12],
  },
  Lightning: {
    weight: 10,
    weather: { Thunderstorm: 12, Rain: 2 },
    objects: {
      Transformer: 5,
      Insulator: 4,
      "Overhead conductor": 3,
      "Fuse or cutout": 5,
      Pole: 2,
      "Circuit breaker": 2,
      "Substation equipment": 1,
    },
    damages: { Burned: 4, "Blown or tripped": 6, Broken: 2, "Shorted out": 4 },
    clear: ["lightning (strike|hit) (at|on) {object}", "{object} struck by lightning", "LTG damaged {object}"],
    months: [4, 5, 6, 7, 8, 9],
  },
  Wind: {
    weight: 10,
    weather: { Wind: 9, Rain: 2, Thunderstorm: 2 },
    objects: { "Overhead conductor": 8, Pole: 5, "Transmission tower": 1.5, Insulator: 1 },
    damages: { Downed: 8, Broken: 4, "Shorted out": 3 },
    clear: ["(wind|gusts) blew {object} down", "{object} slapped together in wind", "wind took {object}"],
    months: [1, 2, 3, 4, 5, 10, 11, 12],
  },
  "Ice or snow": {
    weight: 6,
    weather: { Snow: 10 },
    objects: { "Overhead conductor": 8, Pole: 3, Insulator: 2, "Transmission tower": 1.5 },
    damages: { Downed: 7, Broken: 5, "Shorted out": 1 },
    clear: ["(ice|snow) load on {object}", "{object} galloping (from|with) ice", "heavy (ice|wet snow) on {object}"],
    months: [1, 2, 3, 11, 12],
  },
  Animal: {
    weight: 13,
    weather: { Clear: 8, Heat: 2, Rain: 1 },
    objects: { Transformer: 6, "Fuse or cutout": 7, Insulator: 3, "Substation equipment": 2 },
    damages: { "Blown or tripped": 8, "Shorted out": 4, "Not damaged": 1.5, Burned: 1 },
    clear: [
      "(squirrel|bird|snake|raccoon|owl) on {object}",
      "(squirrel|bird) across {object}",
      "found (squirrel|snake|bird nest) at {object}",
    ],
    months: [3, 4, 5, 6, 7, 8, 9, 10],
  },
  "Vehicle accident": {
    weight: 8,
    weather: anyWeather,
    objects: { Pole: 12, Transformer: 2, "Overhead conductor": 3, "Underground cable": 0.3 },
    damages: { Broken: 8, Downed: 6, "Shorted out": 1 },
    clear: [
      "(car|truck|vehicle|dump truck) (hit|struck|ran into) {object}",
      "MVA, {object} hit",
      "(truck|crane) snagged {object}",
    ],
    months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  },
  "Dig-in": {
    weight: 4,
    weather: { Clear: 6, Heat: 1, Rain: 0.5 },
    objects: { "Underground cable": 14, Transformer: 0.5 },
    damages: { Broken: 6, "Shorted out": 5 },
    clear: [
      "(contractor|backhoe|fiber crew) (dug into|cut|hit) {object}",
      "dig-in, {object} cut by (contractor|excavator)",
    ],
    months: [3, 4, 5, 6, 7, 8, 9, 10, 11],
  },
  "Equipment failure": {
    weight: 26,
    weather: anyWeather,
    objects: {
      Transformer: 7,
      "Underground cable": 7,
      "Fuse or cutout": 4,
      Insulator: 4,
      "Circuit breaker": 4,
      "Substation equipment": 4,
      "Overhead conductor": 3,
    },
    damages: { "Failed internally": 8, Burned: 4, "Shorted out": 4, Broken: 3, "Blown or tripped": 3 },
    clear: ["(old|aged|bad|deteriorated) {object}", "{object} failed from age", "defective {object}"],
    months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  },
  Overload: {
    weight: 6,
    weather: { Heat: 9, Snow: 2, Clear: 1 },
    objects: { Transformer: 9, "Fuse or cutout": 5, "Circuit breaker": 3, "Overhead conductor": 2 },
    damages: { Burned: 5, "Blown or tripped": 8, "Failed internally": 3 },
    clear: ["overload on {object}", "{object} overloaded, (high|peak) demand", "cold load pickup, {object}"],
    months: [1, 6, 7, 8, 9],
  },
  Vandalism: {
    weight: 2.5,
    weather: { Clear: 1 },
    objects: { Insulator: 5, "Substation equipment": 5, "Overhead conductor": 3, Transformer: 2 },
    damages: { Broken: 8, "Shorted out": 2, "Failed internally": 1 },
    clear: ["gunshot damage to {object}", "copper theft at {object}", "vandals at {object}"],
    months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  },
  "Planned work": {
    weight: 6,
    weather: { Clear: 8, Heat: 1 },
    objects: { "Nothing damaged": 10, Transformer: 1, "Substation equipment": 1 },
    damages: { "Not damaged": 1 },
    clear: [
      "(scheduled|planned) (outage|work|maintenance) on {object}",
      "opened to replace {object}",
      "(crew|switching) request on {object}",
    ],
    months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  },
  "Operating error": {
    weight: 2,
    weather: { Clear: 5, Rain: 1, Heat: 1 },
    objects: { "Circuit breaker": 6, "Substation equipment": 5, "Nothing damaged": 3 },
    damages: { "Blown or tripped": 7, "Not damaged": 4, "Shorted out": 1 },
    clear: ["wrong switch opened, {object}", "relay setting error at {object}", "crew error, {object}"],
    months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  },
} as const satisfies Record<string, Cause>;

/** Remarks that leave the cause open: only weather, month, object and damage hint at it. */
const vagueRemarks = [
  "{object} out",
  "found {object} after patrol",
  "crew found {object}",
  "outage on {object}",
  "{object} per SCADA",
  "see {object}",
];

const utilities = [
  "Tarnbeck Electric",
  "Saltmere Power",
  "Umberdale Light & Power",
  "Yarrowfeld Cooperative",
  "Kestrelby Energy",
];
const regions = ["North", "Coast", "Valley", "Hills", "Metro"];
/** Metro has more cable, hills more trees. */
const regionWeights: Partial<Record<CauseName, Record<string, number>>> = {
  "Dig-in": { Metro: 6, Valley: 2, Coast: 1, North: 1, Hills: 0.5 },
  "Tree contact": { Hills: 5, North: 3, Coast: 2, Valley: 2, Metro: 1 },
  "Ice or snow": { North: 6, Hills: 4, Valley: 1, Metro: 1, Coast: 0.2 },
  Wind: { Coast: 5, North: 2, Hills: 2, Valley: 1, Metro: 1 },
};

/** Rows of the example. About one remark in eight leaves the cause open, and 1 % of the labels are wrong. */
export function makeOutages(options: { seed: number; rows: number }): OutageRow[] {
  const random = seededRandom(options.seed);
  return Array.from({ length: options.rows }, (_, index) => makeOutage(random, index));
}

function makeOutage(random: Random, index: number): OutageRow {
  const causeWeights = Object.fromEntries(Object.entries(causes).map(([name, { weight }]) => [name, weight]));
  const causeName = pickWeighted(random, causeWeights) as CauseName;
  const cause: Cause = causes[causeName];
  const object = pickWeighted(random, cause.objects);
  const damage = pickWeighted(random, cause.damages);
  const month = pick(random, cause.months);
  const began = new Date(
    Date.UTC(2020 + random.below(6), month - 1, 1 + random.below(28), random.below(24), random.below(60)),
  );
  const objectWords = pick(random, objects[object].words);
  const about = expand(random, pick(random, chance(random, 0.12) ? vagueRemarks : cause.clear), {
    object: objectWords,
  });
  // Often the remark does not say what became of the object.
  const remark = chance(random, 0.82)
    ? `${about}, ${chance(random, 0.5) ? `${objectWords} ` : ""}${pick(random, damages[damage])}`
    : about;
  const more = pick(random, [
    "",
    "",
    "",
    "crew dispatched",
    "repairs made",
    "restored in stages",
    "temporary repair",
    "follow-up needed",
  ]);
  let remarks = [remark, more]
    .filter((each) => each !== "")
    .map(sentence)
    .join(" ");
  if (chance(random, 0.08)) remarks = mistype(random, remarks);
  if (chance(random, 0.15)) remarks = remarks.toUpperCase();

  const minor = object === "Fuse or cutout" || damage === "Not damaged";
  const hours = (minor ? 0.3 : 1) + random.uniform() * (object === "Pole" || object === "Transmission tower" ? 14 : 5);
  const voltage = pick(random, objects[object].kv);
  const customers = Math.round((minor ? 8 : 60) * (1 + 30 * random.uniform() ** 3) * (voltage > 25 ? 12 : 1));
  const mislabelled = <K extends string>(label: K, labels: object): string =>
    chance(random, 0.01)
      ? pick(
          random,
          Object.keys(labels).filter((each) => each !== label),
        )
      : label;
  const region = pickWeighted(random, regionWeights[causeName] ?? Object.fromEntries(regions.map((name) => [name, 1])));

  return {
    outage_id: `O-${String(10_000 + index)}`,
    Utility: pick(random, utilities),
    Region: region,
    Began: began.toISOString().slice(0, 16).replace("T", " "),
    "Duration (h)": hours.toFixed(1),
    Customers: String(customers),
    "Voltage (kV)": String(voltage),
    // Weather is not always filled in.
    Weather: chance(random, 0.06) ? "" : pick(random, weathers[pickWeighted(random, cause.weather)]),
    Remarks: remarks,
    Cause: mislabelled(causeName, causes),
    "Object damaged": mislabelled(object, objects),
    "Damage type": mislabelled(damage, damages),
  };
}
