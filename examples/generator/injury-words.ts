/**
 * The words of the severe-injuries example: labels, events, phrases. All of it is invented; how often what happens is
 * roughly what one would expect of workplaces.
 *
 * Two things make the task hard, as in real reports. A narrative may say what happened in words that several labels
 * share (`vagueNatures`, `vagueParts`). And the event alone tells little of the label.
 */

export type Part = keyof typeof partWords;
export type Nature = keyof typeof natures;
export type EventName = keyof typeof events;
export type Industry = keyof typeof industries;

const side = "(left|right|left|right|)";

/** Body parts: how a narrative names them when it is clear. */
export const partWords = {
  Finger: [
    `${side} (index|middle|ring|little|pinky|index|middle|ring) finger`,
    `${side} thumb`,
    `(two|three|several) fingers on the (left|right) hand`,
    `(fingertip|tip of the (index|middle|ring) finger)`,
  ],
  Hand: [`${side} palm`, `back of the (left|right) hand`, `${side} hand, across the knuckles,`],
  Wrist: [`${side} wrist`],
  Arm: [`${side} forearm`, `${side} upper arm`, `${side} elbow`, `${side} (humerus|ulna)`],
  Shoulder: [`${side} shoulder`, `${side} collarbone`, `${side} rotator cuff`],
  Toe: [`${side} (big|great|second|little) toe`, `(two|three) toes on the (left|right) foot`],
  Foot: [`${side} heel`, `top of the (left|right) foot`, `${side} instep`],
  Ankle: [`${side} ankle`],
  Leg: [`${side} (shin|thigh|calf)`, `${side} (tibia|femur|tibia and fibula)`],
  Knee: [`${side} knee`, `${side} kneecap`],
  Hip: [`${side} hip`, `pelvis`],
  Back: [`lower back`, `upper back`, `(lumbar|thoracic) spine`],
  Chest: [`(two|three|several|) ribs`, `chest`, `sternum`],
  Abdomen: [`abdomen`, `stomach`, `(spleen|liver|kidney)`, `groin`],
  Head: [`skull`, `scalp`, `back of the head`, `forehead`],
  Face: [`jaw`, `nose`, `cheek`, `(upper|lower) lip`, `face`],
  Eye: [`${side} eye`, `both eyes`, `${side} eyelid`],
  Neck: [`neck`, `cervical spine`, `throat`],
  "Whole body": [`whole body`, `entire body`],
  "Multiple body parts": [
    `(arm|shoulder|wrist) and (leg|hip|knee)`,
    `(ribs|chest), (pelvis|hip) and (leg|ankle|arm)`,
    `(face|neck), (chest|torso) and both (arms|hands|legs)`,
    `(head|neck) and (back|shoulder|ribs)`,
  ],
} as const;

/** Mentions that several parts share, and how likely each part is mentioned so. */
export const vagueParts: readonly { words: readonly string[]; parts: Partial<Record<Part, number>> }[] = [
  { words: [`${side} hand`, `${side} hand`, "hand"], parts: { Finger: 0.1, Hand: 0.6, Wrist: 0.18 } },
  { words: ["hand and fingers", "fingers and palm"], parts: { Finger: 0.05, Hand: 0.19 } },
  { words: [`${side} foot`, "foot"], parts: { Toe: 0.39, Foot: 0.6, Ankle: 0.18 } },
  { words: [`${side} leg`, `${side} lower leg`, "leg"], parts: { Leg: 0.52, Knee: 0.21, Ankle: 0.17, Hip: 0.14 } },
  { words: [`${side} arm`, "arm"], parts: { Arm: 0.52, Wrist: 0.18, Shoulder: 0.21, Hand: 0.06 } },
  { words: ["side", "torso", "midsection"], parts: { Chest: 0.25, Abdomen: 0.3, Back: 0.11, Hip: 0.14 } },
  { words: ["head", "head"], parts: { Head: 0.6, Face: 0.18, Neck: 0.17 } },
  { words: ["head and face", "face and eyes"], parts: { Face: 0.23, Eye: 0.28, Head: 0.08 } },
  {
    words: ["body", "upper body", "arms and torso"],
    parts: { "Multiple body parts": 0.48, "Whole body": 0.41, Chest: 0.08, Back: 0.07 },
  },
];

interface NatureWords {
  /** Clear phrases; {p} is the body part with its pronoun, {pn} without. */
  clear: readonly string[];
  /** How likely each part is, given the nature; multiplied by the event's. */
  parts: Partial<Record<Part, number>>;
}

const limbs = {
  Finger: 1,
  Hand: 1,
  Wrist: 1,
  Arm: 1,
  Shoulder: 1,
  Toe: 1,
  Foot: 1,
  Ankle: 1,
  Leg: 1,
  Knee: 1,
} as const;
const trunk = { Hip: 1, Back: 1, Chest: 1, Abdomen: 1 } as const;
const head = { Head: 1, Face: 1, Eye: 1, Neck: 1 } as const;

export const natures = {
  Fractures: {
    clear: [
      "fractured {p}",
      "broke {p}",
      "suffered a (fracture|broken bone) (of|in) {p}",
      "sustained a (compound|hairline|open|) fracture to {p}",
      "x-rays showed a (fracture|break) of {p}",
    ],
    parts: { ...limbs, Hip: 1.5, Back: 0.8, Chest: 1, Head: 0.4, Face: 0.8, Neck: 0.4, "Multiple body parts": 0.6 },
  },
  Amputations: {
    clear: [
      "amputated {p}",
      "suffered an amputation of {p}",
      "{p} (was|had to be) amputated",
      "sustained an amputation (of|to) {p} (below|above|at) the (first joint|nail|knuckle|joint)",
    ],
    parts: { Finger: 3, Hand: 0.2, Arm: 0.15, Toe: 1.5, Foot: 0.2, Leg: 0.15 },
  },
  "Cuts and lacerations": {
    clear: [
      "(cut|lacerated) {p}",
      "suffered a (deep|severe|) laceration (to|of) {p}",
      "sustained a (deep|) (cut|gash) to {p} (that needed stitches|requiring sutures|)",
      "{p} was (cut open|lacerated)",
    ],
    parts: { ...limbs, Shoulder: 0.3, Head: 1, Face: 1, Neck: 0.5, Abdomen: 0.3, Eye: 0.4 },
  },
  "Soreness and pain": {
    clear: [
      "complained of (pain|soreness) in {p}",
      "felt (severe|sharp|) pain in {p} (but nothing was broken|with no visible injury|)",
      "reported (soreness|persistent pain) in {p}",
    ],
    parts: { Back: 3, Shoulder: 1, Neck: 1, Knee: 1, Hip: 1, Chest: 0.6, Leg: 0.4, Wrist: 0.3, Abdomen: 0.4 },
  },
  "Crushing injuries": {
    clear: [
      "suffered a (crush|crushing) injury to {p}",
      "{p} sustained (crush|crushing) injuries",
      "was treated for a crush injury of {p}",
    ],
    parts: { Finger: 1.5, Hand: 1.5, Foot: 1.5, Toe: 1, Leg: 0.7, Arm: 0.5, Chest: 0.4, Hip: 0.4 },
  },
  "Heat burns": {
    clear: [
      "suffered (second|third|second and third) degree (thermal|heat|) burns to {p}",
      "was scalded on {p}",
      "{p} received thermal burns",
    ],
    parts: { Hand: 1, Arm: 1, Face: 1, Leg: 0.8, Foot: 0.5, "Multiple body parts": 1.2, Chest: 0.3, Finger: 0.2 },
  },
  "Internal injuries": {
    clear: [
      "suffered internal (injuries|bleeding) in {p}",
      "had (a punctured lung|internal bleeding|a ruptured organ) after the blow to {p}",
      "was diagnosed with internal injuries to {p}",
    ],
    parts: { Abdomen: 2, Chest: 2, Head: 0.8, Back: 0.3, "Multiple body parts": 0.3 },
  },
  Concussions: {
    clear: [
      "suffered a concussion when {p} (hit|struck) the (floor|ground|wall)",
      "was diagnosed with a concussion after a blow to {p}",
      "sustained a (mild|severe|) concussion",
    ],
    parts: { Head: 1 },
  },
  Dislocations: {
    clear: ["dislocated {p}", "suffered a dislocation of {p}", "{p} popped out of (joint|its socket)"],
    parts: { Shoulder: 3, Knee: 1, Hip: 0.8, Ankle: 0.5, Finger: 0.2, Wrist: 0.3 },
  },
  "Sprains and strains": {
    clear: [
      "(sprained|strained) {p}",
      "suffered a (sprain|strain|torn ligament|muscle tear) in {p}",
      "was diagnosed with a (sprain|strained muscle) of {p}",
    ],
    parts: { Back: 2, Ankle: 1.5, Shoulder: 1, Knee: 1, Wrist: 0.6, Neck: 0.4, Leg: 0.4 },
  },
  "Puncture wounds": {
    clear: [
      "suffered a puncture wound to {p}",
      "{p} was (punctured|impaled|pierced)",
      "(shot a nail|drove a staple) through {p}",
    ],
    parts: { Hand: 1.5, Finger: 0.5, Leg: 1, Foot: 1, Knee: 0.4, Abdomen: 0.4, Eye: 0.3, Arm: 0.5 },
  },
  "Chemical burns": {
    clear: ["suffered chemical burns (to|on) {p}", "{p} received (caustic|chemical|acid) burns"],
    parts: { Face: 1, Eye: 1, Hand: 1, Arm: 0.8, Leg: 0.6, Foot: 0.5, "Multiple body parts": 0.8 },
  },
  "Heat exhaustion": {
    clear: [
      "was (diagnosed with|treated for) heat (exhaustion|stroke|exhaustion and dehydration)",
      "suffered heat (exhaustion|stroke|cramps)",
    ],
    parts: { "Whole body": 1 },
  },
  "Electrical burns": {
    clear: ["suffered electrical burns to {p}", "{p} was burned by the (arc|current|electric arc)"],
    parts: { Hand: 1.5, Arm: 1, Face: 0.7, "Multiple body parts": 0.7, Finger: 0.3 },
  },
  "Electric shock": {
    clear: ["received an electric shock", "was (shocked|electrocuted) (and lost consciousness|and thrown back|)"],
    parts: { "Whole body": 2, "Multiple body parts": 0.2, Hand: 0.15 },
  },
  "Bruises and contusions": {
    clear: ["bruised {p}", "suffered (contusions|a contusion|bruising) to {p}", "{p} was (badly|) bruised"],
    parts: { ...trunk, Leg: 1, Knee: 0.7, Shoulder: 0.7, Head: 0.6, Face: 0.7, Arm: 0.6, Foot: 0.5 },
  },
  "Avulsions and degloving": {
    clear: ["suffered a degloving injury to {p}", "sustained an avulsion of {p}", "the skin of {p} was torn off"],
    parts: { Finger: 2, Hand: 1, Arm: 0.5, Leg: 0.3, Foot: 0.2 },
  },
  "Poisoning and toxic effects": {
    clear: [
      "was treated for (carbon monoxide|ammonia|chlorine|solvent) poisoning",
      "suffered toxic effects (of|from) the (fumes|gas|vapor)",
    ],
    parts: { "Whole body": 1 },
  },
  "Multiple traumatic injuries": {
    clear: [
      "suffered (multiple|several) (traumatic|serious|severe) injuries to {p}",
      "sustained fractures, lacerations and (bruises|internal injuries) to {p}",
    ],
    parts: { "Multiple body parts": 5, Chest: 0.3, Head: 0.4, Leg: 0.3 },
  },
  "Respiratory injuries": {
    clear: [
      "suffered (smoke inhalation|inhalation injuries|chemical pneumonitis)",
      "was treated for (respiratory distress|damage to the airways)",
    ],
    parts: { Chest: 2, Neck: 0.2, "Whole body": 0.5 },
  },
  "Abrasions and scratches": {
    clear: ["suffered (an abrasion|abrasions|a scratch) (to|of) {p}", "scraped {p}", "{p} was scratched"],
    parts: { Eye: 2, Face: 0.7, Knee: 0.5, Arm: 0.5, Hand: 0.5, Leg: 0.4 },
  },
  Infections: {
    clear: [
      "developed (an infection|cellulitis|a bone infection) in {p}",
      "was hospitalized because {p} had become infected",
    ],
    parts: { Hand: 1, Finger: 0.6, Leg: 1, Foot: 0.8, Arm: 0.6, Knee: 0.3 },
  },
  "Bites and stings": {
    clear: [
      "was (bitten|stung) (on|in) {p} (several times|)",
      "suffered a (dog|snake|spider) bite to {p}",
      "had an allergic reaction to a (bee|wasp|hornet) sting on {p}",
    ],
    parts: { Hand: 1, Leg: 1, Arm: 1, Ankle: 0.5, Face: 0.5, Finger: 0.3, Neck: 0.4 },
  },
  "Cardiac events": {
    clear: ["suffered a heart attack", "went into cardiac arrest"],
    parts: { Chest: 3, "Whole body": 0.4 },
  },
  Hernias: {
    clear: ["suffered a hernia", "was diagnosed with (an inguinal|a) hernia", "needed surgery for a hernia"],
    parts: { Abdomen: 1 },
  },
  "Frostbite and cold injuries": {
    clear: ["suffered frostbite (of|to) {p}", "{p} was frostbitten"],
    parts: { Finger: 0.6, Hand: 0.6, Toe: 1, Foot: 0.6, Face: 0.2 },
  },
} as const satisfies Record<string, NatureWords>;

/** Phrases that several labels share, and how likely a narrative of each label says it so. */
export const vagueNatures: readonly { phrases: readonly string[]; natures: Partial<Record<Nature, number>> }[] = [
  {
    phrases: ["(injured|hurt) {p}", "sustained an injury to {p}", "{p} was (injured|hurt)"],
    natures: {
      Fractures: 0.1,
      "Soreness and pain": 0.33,
      "Sprains and strains": 0.31,
      Dislocations: 0.21,
      "Bruises and contusions": 0.41,
      "Crushing injuries": 0.1,
      "Cuts and lacerations": 0.06,
      "Internal injuries": 0.12,
      "Puncture wounds": 0.08,
      "Abrasions and scratches": 0.31,
    },
  },
  {
    phrases: ["{p} was (crushed|smashed|pinched)", "crushed {p}", "{p} was badly (mangled|damaged)"],
    natures: {
      "Crushing injuries": 0.6,
      Fractures: 0.07,
      Amputations: 0.1,
      "Avulsions and degloving": 0.25,
      "Cuts and lacerations": 0.03,
    },
  },
  {
    phrases: ["{p} was (nearly|partially) severed", "lost (part|the end|a piece) of {p}", "{p} was torn (off|open)"],
    natures: { Amputations: 0.21, "Cuts and lacerations": 0.1, "Avulsions and degloving": 0.6 },
  },
  {
    phrases: ["burned {p}", "was burned on {p}", "suffered burns to {p}", "{p} received (first|second) degree burns"],
    natures: { "Heat burns": 0.57, "Chemical burns": 0.6, "Electrical burns": 0.6 },
  },
  {
    phrases: [
      "(felt|became) (dizzy|ill|weak|unwell) and (collapsed|passed out|was taken to hospital)",
      "(lost consciousness|fainted|collapsed)",
      "had trouble breathing and (vomited|collapsed)",
    ],
    natures: {
      "Heat exhaustion": 0.31,
      "Poisoning and toxic effects": 0.45,
      "Respiratory injuries": 0.6,
      "Cardiac events": 0.6,
      "Electric shock": 0.25,
      Concussions: 0.06,
    },
  },
  {
    phrases: ["(fractured|broke) and lacerated {p}", "suffered a (laceration|cut) and a (fracture|break) of {p}"],
    natures: { Fractures: 0.1, "Cuts and lacerations": 0.12, "Multiple traumatic injuries": 0.41 },
  },
  {
    phrases: ["suffered a (head|serious|severe) injury", "suffered (a trauma|blunt force trauma) to {p}"],
    natures: {
      Concussions: 0.41,
      "Internal injuries": 0.41,
      Fractures: 0.04,
      "Multiple traumatic injuries": 0.33,
      "Bruises and contusions": 0.1,
    },
  },
  {
    phrases: ["felt (a pop|something pull|a sharp pain) in {p}", "could not move {p} (afterwards|without pain)"],
    natures: { "Sprains and strains": 0.35, "Soreness and pain": 0.31, Hernias: 0.51, Dislocations: 0.29 },
  },
  {
    phrases: ["{p} became (swollen|red and swollen|swollen and painful)", "developed swelling in {p}"],
    natures: { Infections: 0.6, "Bites and stings": 0.41, "Puncture wounds": 0.12, "Bruises and contusions": 0.12 },
  },
  {
    phrases: ["(nicked|caught|jabbed) {p}", "{p} was (struck|caught) by the edge"],
    natures: { "Cuts and lacerations": 0.08, "Puncture wounds": 0.25, "Abrasions and scratches": 0.41 },
  },
];

interface Event {
  /** What the person was doing, and what happened: {who} the person, {their} the pronoun. */
  activities: readonly string[];
  mechanisms: readonly string[];
  natures: Partial<Record<Nature, number>>;
  parts: Partial<Record<Part, number>>;
}

const upper = { Finger: 4, Hand: 1.4, Wrist: 0.5, Arm: 1 };
const lower = { Toe: 1.2, Foot: 1.4, Ankle: 1, Leg: 1.4, Knee: 0.6 };
const anywhere = { ...limbs, ...trunk, ...head, "Multiple body parts": 1, "Whole body": 1 };

export const events = {
  "caught in machine": {
    activities: [
      "was (clearing|removing) a jam (from|in) the {machine}",
      "was (cleaning|adjusting|setting up|servicing) the {machine}",
      "reached into the {machine} to (free|remove|straighten) {object}",
      "was feeding {object} into the {machine}",
    ],
    mechanisms: [
      "the machine (cycled|started|activated) unexpectedly",
      "{their} glove was (caught|pulled) (in|into) the (rollers|chain and sprocket|moving parts|gears)",
      "the guard had been removed and the (blade|belt|ram|roller) came down",
      "a coworker turned the machine on",
    ],
    natures: {
      Amputations: 40,
      Fractures: 16,
      "Cuts and lacerations": 13,
      "Crushing injuries": 14,
      "Avulsions and degloving": 6,
      "Multiple traumatic injuries": 1,
      "Puncture wounds": 1,
    },
    parts: { ...upper, Finger: 6, Toe: 0.1, Foot: 0.3, Leg: 0.4, Shoulder: 0.2 },
  },
  "struck by object": {
    activities: [
      "was (moving|unloading|stacking|lifting) {object}",
      "was walking (past|under|beside) a (rack|crane|stack)",
      "was (guiding|rigging|securing) {object}",
    ],
    mechanisms: [
      "{object} (fell|slipped|tipped over|rolled) (onto|and struck|and hit) {them}",
      "a chain (broke|came loose) and (struck|hit) {them}",
      "the load shifted and pinned {them} against the (wall|trailer|rack)",
      "a (pipe|board|steel plate) swung (around|loose) and hit {them}",
    ],
    natures: {
      Fractures: 46,
      "Crushing injuries": 10,
      "Cuts and lacerations": 8,
      Amputations: 8,
      Concussions: 8,
      "Bruises and contusions": 6,
      "Internal injuries": 7,
      "Multiple traumatic injuries": 4,
      "Puncture wounds": 2,
      "Abrasions and scratches": 2,
    },
    parts: { ...anywhere, ...lower, Finger: 1.2, Head: 2, "Whole body": 0 },
  },
  "fall from height": {
    activities: [
      "was (working|standing|climbing) on a (ladder|scaffold|roof|step ladder)",
      "was (installing|repairing|painting) (a roof|gutters|a duct|siding|a light) (about|approximately|) {height} feet above the (ground|floor)",
      "was (climbing down from|getting out of) (a truck|a trailer|the cab|a lift)",
    ],
    mechanisms: [
      "the ladder (slipped|kicked out|slid sideways) and {who2} fell (about|approximately|) {height} feet",
      "{who2} lost {their} (balance|footing) and fell {height} feet to the (ground|concrete|floor)",
      "{who2} stepped (off the edge|through a skylight|back) and fell",
    ],
    natures: {
      Fractures: 56,
      "Internal injuries": 10,
      Concussions: 9,
      "Multiple traumatic injuries": 8,
      "Soreness and pain": 6,
      Dislocations: 3,
      "Bruises and contusions": 4,
      "Sprains and strains": 3,
      "Cuts and lacerations": 2,
    },
    parts: { ...anywhere, Hip: 2, Back: 2, Wrist: 1.6, Ankle: 1.6, Finger: 0.1, Toe: 0.1, Eye: 0, "Whole body": 0 },
  },
  "slip or trip": {
    activities: [
      "was walking (through|across) the (kitchen|parking lot|warehouse|hallway|freezer)",
      "was carrying {object} (to the|across the) (dock|cooler|truck|storeroom)",
      "was (leaving|entering) the (building|restroom|office)",
    ],
    mechanisms: [
      "{who2} slipped on (ice|a wet floor|grease|water) and fell",
      "{who2} tripped over (a pallet|a hose|a mat|an extension cord|a curb)",
      "{who2} (missed a step|lost {their} footing) and (fell|landed hard)",
    ],
    natures: {
      Fractures: 55,
      "Soreness and pain": 10,
      "Sprains and strains": 8,
      Dislocations: 8,
      Concussions: 7,
      "Bruises and contusions": 5,
      "Cuts and lacerations": 3,
      "Abrasions and scratches": 1,
    },
    parts: {
      Hip: 4,
      Leg: 2,
      Ankle: 2.4,
      Wrist: 1.6,
      Arm: 1.4,
      Knee: 1.6,
      Shoulder: 1.2,
      Head: 1,
      Back: 1,
      Face: 0.5,
      Chest: 0.3,
    },
  },
  vehicle: {
    activities: [
      "was (driving|operating) a (forklift|tractor|delivery truck|pallet jack|front loader)",
      "was (standing|walking) behind a (forklift|truck|trailer)",
    ],
    mechanisms: [
      "the vehicle (overturned|rolled over|left the road)",
      "{who2} was (run over|struck|pinned) by the (forklift|truck|pallet jack|tractor)",
      "it collided with (another forklift|a column|a parked trailer)",
    ],
    natures: {
      Fractures: 45,
      "Crushing injuries": 12,
      "Multiple traumatic injuries": 12,
      "Internal injuries": 10,
      Concussions: 4,
      "Soreness and pain": 4,
      Amputations: 3,
      "Cuts and lacerations": 3,
      "Avulsions and degloving": 2,
    },
    parts: { ...anywhere, ...lower, Leg: 2.4, "Multiple body parts": 2, "Whole body": 0, Finger: 0.2 },
  },
  "cut by tool": {
    activities: [
      "was (cutting|trimming|slicing) {object} with a {tool}",
      "was using a {tool} to (cut|open|trim) {object}",
    ],
    mechanisms: [
      "the {tool} (slipped|kicked back|jumped)",
      "{their} hand slipped (off the handle|) and met the blade",
      "the blade (broke|caught and kicked back)",
    ],
    natures: {
      "Cuts and lacerations": 52,
      Amputations: 26,
      "Puncture wounds": 9,
      Fractures: 2,
      "Avulsions and degloving": 2,
      Infections: 2,
      "Abrasions and scratches": 2,
    },
    parts: { ...upper, Leg: 0.7, Knee: 0.4, Foot: 0.2, Face: 0.3, Neck: 0.2, Abdomen: 0.3 },
  },
  "hot contact": {
    activities: [
      "was (draining|cleaning|checking) the (fryer|boiler|kettle|oven|furnace)",
      "was (carrying|pouring) (hot oil|boiling water|molten metal|hot caustic solution)",
      "was (welding|cutting) (near|on) (a drum|a tank|a pipe)",
    ],
    mechanisms: [
      "(hot oil|steam|boiling water|hot caustic solution|hot liquid) (splashed|sprayed|spilled) on {them}",
      "(vapors|residue|the contents) ignited and (flashed|exploded)",
      "a hose (burst|came loose) and sprayed {them}",
    ],
    natures: { "Heat burns": 70, "Chemical burns": 9, "Respiratory injuries": 4, "Multiple traumatic injuries": 1 },
    parts: {
      Hand: 1,
      Arm: 1.4,
      Face: 1.2,
      Leg: 1.2,
      Foot: 1,
      "Multiple body parts": 1.2,
      Chest: 1,
      Finger: 0.3,
      "Whole body": 1,
      Neck: 0.3,
    },
  },
  "chemical contact": {
    activities: [
      "was (mixing|transferring|handling|pumping) (acid|cleaning chemicals|sodium hydroxide|bleach|solvent)",
      "was (disconnecting|opening) a (line|valve|hose) (on the tank|)",
      "was (cleaning|working in) a (tank|vat|confined space)",
    ],
    mechanisms: [
      "(the chemical|liquid|some of it|hot liquid) (splashed|sprayed|spilled) on {them}",
      "a (fitting|valve|hose) (failed|leaked) and released (gas|vapor|fumes)",
      "a hose (burst|came loose) and sprayed {them}",
      "{who2} breathed in the (fumes|vapor|gas)",
    ],
    natures: {
      "Chemical burns": 42,
      "Poisoning and toxic effects": 26,
      "Respiratory injuries": 14,
      "Heat burns": 5,
      "Cardiac events": 1,
    },
    parts: {
      Face: 1.4,
      Eye: 1.6,
      Hand: 1,
      Arm: 1,
      Leg: 1,
      Foot: 1,
      "Multiple body parts": 1,
      Chest: 1,
      "Whole body": 1,
      Neck: 0.5,
    },
  },
  electrical: {
    activities: [
      "was (working|wiring|troubleshooting) (in|on) (an electrical panel|a junction box|a breaker|a 480-volt panel)",
      "was (moving|raising) a (ladder|boom|pole) near a power line",
    ],
    mechanisms: [
      "{who2} (touched|contacted) (a live wire|an energized part|the line)",
      "an arc flash (occurred|came out of the panel)",
      "the (tool|wrench|screwdriver) shorted the (circuit|terminals)",
    ],
    natures: { "Electrical burns": 40, "Electric shock": 40, Fractures: 2, "Cardiac events": 3 },
    parts: { Hand: 2, Arm: 1, Face: 1, Finger: 1, "Multiple body parts": 1, "Whole body": 3, Chest: 1 },
  },
  overexertion: {
    activities: [
      "was (lifting|pulling|pushing|carrying) {object}",
      "was (helping|repositioning|transferring) a (patient|resident)",
      "was (bending|kneeling|reaching) to pick up {object}",
    ],
    mechanisms: [
      "{who2} (twisted|turned|slipped) (suddenly|while holding it|)",
      "the weight shifted",
      "{who2} could not hold on any longer",
    ],
    natures: {
      "Soreness and pain": 36,
      "Sprains and strains": 34,
      Dislocations: 9,
      Hernias: 12,
      Fractures: 5,
      "Cardiac events": 3,
    },
    parts: {
      Back: 3,
      Shoulder: 2,
      Knee: 1,
      Abdomen: 1,
      Neck: 0.5,
      Wrist: 0.5,
      Hip: 0.4,
      Arm: 0.5,
      Leg: 0.4,
      Chest: 0.5,
      "Whole body": 0.3,
    },
  },
  "heat and cold": {
    activities: [
      "was (roofing|digging|picking fruit|laying asphalt|delivering mail) (in the sun|on a hot day|in 95 degree heat)",
      "had been working in the (attic|field|trench|yard) since (morning|seven|daybreak)",
      "was working in a (blast freezer|cold store)",
    ],
    mechanisms: [
      "{who2} had not taken a break",
      "it was {their} (second|third) day on the job",
      "temperatures were extreme",
      "",
    ],
    natures: { "Heat exhaustion": 60, "Cardiac events": 6, "Frostbite and cold injuries": 9, "Soreness and pain": 2 },
    parts: { "Whole body": 3, Chest: 1, Finger: 1, Toe: 1.5, Foot: 1, Hand: 1, Face: 0.5, Back: 1 },
  },
  "puncture or bite": {
    activities: [
      "was using a (nail gun|staple gun|pressure washer|grease gun)",
      "was (mowing|clearing brush|reading a meter|delivering a package)",
      "was (picking up|handling) (scrap|trash|pallets|an animal)",
    ],
    mechanisms: [
      "the (nail gun|tool) (double fired|misfired|discharged)",
      "a (dog|snake|wasp|spider|cat) (came out of nowhere|was in the grass|attacked)",
      "{who2} (stepped on|was jabbed by) a (nail|wire|needle|thorn)",
    ],
    natures: {
      "Puncture wounds": 44,
      "Bites and stings": 22,
      Infections: 20,
      "Cuts and lacerations": 6,
      "Abrasions and scratches": 8,
    },
    parts: {
      Hand: 1.4,
      Finger: 1,
      Leg: 1,
      Foot: 1.2,
      Knee: 0.6,
      Arm: 1,
      Ankle: 0.6,
      Face: 0.4,
      Eye: 0.8,
      Neck: 0.3,
      Abdomen: 0.3,
    },
  },
} as const satisfies Record<string, Event>;

interface IndustryWords {
  events: Partial<Record<EventName, number>>;
  jobs: readonly string[];
  machines: readonly string[];
  objects: readonly string[];
  tools: readonly string[];
  /** Second halves of employers' names. */
  names: readonly string[];
}

export const industries = {
  manufacturing: {
    events: {
      "caught in machine": 40,
      "struck by object": 16,
      "hot contact": 6,
      "cut by tool": 5,
      electrical: 3,
      "slip or trip": 8,
      "chemical contact": 4,
      overexertion: 4,
      vehicle: 6,
      "fall from height": 6,
    },
    jobs: ["machine operator", "press operator", "maintenance technician", "welder", "assembler"],
    machines: ["press brake", "punch press", "lathe", "hydraulic press", "conveyor", "mill", "stamping machine"],
    objects: ["a steel coil", "a die", "sheet metal", "a casting", "a roll of stock"],
    tools: ["grinder", "band saw", "utility knife", "chop saw"],
    names: ["Steel Fabrication", "Castings", "Tool and Die", "Plastics", "Components"],
  },
  food: {
    events: {
      "caught in machine": 34,
      "slip or trip": 15,
      "cut by tool": 14,
      "hot contact": 8,
      "chemical contact": 8,
      "struck by object": 7,
      vehicle: 6,
      overexertion: 5,
      "heat and cold": 3,
    },
    jobs: ["line worker", "sanitation worker", "butcher", "packer", "baker"],
    machines: ["meat grinder", "slicer", "mixer", "packaging machine", "dough sheeter", "conveyor"],
    objects: ["a case of meat", "a tote", "a tray rack", "chicken", "dough"],
    tools: ["boning knife", "slicer", "box cutter", "band saw"],
    names: ["Foods", "Poultry", "Bakery", "Packing", "Dairy"],
  },
  construction: {
    events: {
      "fall from height": 40,
      "struck by object": 22,
      "cut by tool": 9,
      electrical: 7,
      "slip or trip": 5,
      vehicle: 6,
      "heat and cold": 6,
      "puncture or bite": 6,
      "hot contact": 3,
      overexertion: 3,
    },
    jobs: ["roofer", "carpenter", "laborer", "ironworker", "painter", "electrician"],
    machines: ["concrete pump", "auger", "hoist", "trencher", "mixer"],
    objects: ["a beam", "a sheet of plywood", "a concrete form", "lumber", "a wall panel"],
    tools: ["circular saw", "table saw", "grinder", "reciprocating saw", "utility knife"],
    names: ["Builders", "Roofing", "Contracting", "Framing", "Concrete"],
  },
  warehouse: {
    events: {
      vehicle: 26,
      "struck by object": 26,
      "slip or trip": 14,
      "fall from height": 12,
      overexertion: 12,
      "caught in machine": 8,
      "heat and cold": 4,
      "cut by tool": 3,
    },
    jobs: ["order picker", "forklift operator", "driver", "dock worker", "loader"],
    machines: ["conveyor", "baler", "stretch wrapper", "dock leveler"],
    objects: ["a pallet", "a crate", "a drum", "boxes", "a dock plate"],
    tools: ["box cutter", "utility knife", "strapping tool"],
    names: ["Logistics", "Freight", "Distribution", "Storage", "Parcel"],
  },
  wood: {
    events: {
      "caught in machine": 34,
      "cut by tool": 26,
      "struck by object": 18,
      "puncture or bite": 7,
      vehicle: 6,
      "fall from height": 4,
      "slip or trip": 4,
    },
    jobs: ["sawyer", "cabinet maker", "machine operator", "logger"],
    machines: ["planer", "chipper", "edger", "router", "ripsaw", "debarker"],
    objects: ["a board", "a log", "veneer", "a cabinet door", "lumber"],
    tools: ["table saw", "chainsaw", "miter saw", "jointer", "router"],
    names: ["Lumber", "Cabinets", "Millwork", "Timber"],
  },
  care: {
    events: {
      "slip or trip": 50,
      overexertion: 36,
      "puncture or bite": 4,
      "hot contact": 3,
      "chemical contact": 3,
      vehicle: 3,
    },
    jobs: ["nurse aide", "nurse", "caregiver", "housekeeper", "cook"],
    machines: ["laundry press", "dishwasher", "food processor"],
    objects: ["a box of supplies", "a linen cart", "a wheelchair", "a mattress"],
    tools: ["kitchen knife", "box cutter", "slicer"],
    names: ["Care Center", "Nursing", "Hospital", "Home Care"],
  },
  farm: {
    events: {
      "heat and cold": 26,
      vehicle: 18,
      "caught in machine": 16,
      "puncture or bite": 14,
      "struck by object": 10,
      "fall from height": 10,
      "cut by tool": 8,
      "slip or trip": 4,
    },
    jobs: ["farm worker", "picker", "herdsman", "tractor driver"],
    machines: ["auger", "baler", "grain elevator", "feed mixer", "harvester"],
    objects: ["a bale", "a gate", "a crate of fruit", "an irrigation pipe"],
    tools: ["machete", "pruning saw", "chainsaw", "knife"],
    names: ["Farms", "Orchards", "Growers", "Nursery"],
  },
  utilities: {
    events: {
      electrical: 34,
      "fall from height": 16,
      "hot contact": 14,
      "chemical contact": 14,
      "struck by object": 12,
      vehicle: 8,
      "puncture or bite": 6,
      "heat and cold": 6,
    },
    jobs: ["lineman", "technician", "plant operator", "meter reader", "pipefitter"],
    machines: ["pump", "boring machine", "compressor", "winch", "turbine"],
    objects: ["a valve", "a pole", "a transformer", "a manhole cover", "pipe"],
    tools: ["cable cutter", "grinder", "chainsaw", "pipe cutter"],
    names: ["Energy", "Water Works", "Power", "Chemical", "Refining"],
  },
} as const satisfies Record<string, IndustryWords>;

/** First halves of employers' names: no real places or people. */
export const employerNames = [
  "Brindlemoor",
  "Quillstone",
  "Tarnbeck",
  "Oxhollow",
  "Fennimarsh",
  "Gallowick",
  "Harrowden Vale",
  "Ilvermont",
  "Jessamere",
  "Kestrelby",
  "Larkenfall",
  "Mossgarth",
  "Northfennel",
  "Osterbrook",
  "Pellawick",
  "Quarrenby",
  "Ravelstone",
  "Saltmere",
  "Thistlemark",
  "Umberdale",
  "Vantreece",
  "Wexcombe",
  "Yarrowfeld",
  "Zellerin",
] as const;
