import { open, readFile, rename } from "node:fs/promises";

/**
 * Up to where a strategy's outcomes have been handled: what to keep on disk. `stream` is the worker's database, null
 * before anything was heard of it; `counter` the last strategy_seq, 0 for none.
 * @typedef {{ stream: string | null, counter: number }} Position
 */

/**
 * The beginning, where there is no such file.
 * @param {string} file
 * @returns {Promise<Position>}
 */
export async function loadPosition(file) {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return { stream: null, counter: 0 };
    throw error;
  }
}

/**
 * Replaces the file in one step, so that a crash leaves the old or the new one.
 * @param {string} file
 * @param {Position} position
 */
export async function savePosition(file, position) {
  const temporary = `${file}.new`;
  const handle = await open(temporary, "w");
  try {
    await handle.writeFile(JSON.stringify(position));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
