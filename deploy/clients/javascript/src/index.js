export { loadCurveKeys } from "./keys.js";
export { NoAnswer, Refused } from "./intake.js";
export { DEFAULT_INTAKE, Publisher } from "./publisher.js";
export { loadPosition, savePosition } from "./position.js";
export { DEFAULT_OUTCOMES, Subscriber } from "./subscriber.js";
