import { readFile } from "node:fs/promises";

/**
 * Our key pair and the worker's public key, each as 40 characters of Z85, named as the options of a zeromq socket.
 * @typedef {{ curvePublicKey: string, curveSecretKey: string, curveServerKey: string }} CurveKeys
 */

/**
 * From certificate files as `trade-executor keys generate` writes them.
 * @param {string} secretFile our NAME.key_secret
 * @param {string} serverFile the worker's public NAME.key
 * @returns {Promise<CurveKeys>}
 */
export async function loadCurveKeys(secretFile, serverFile) {
  return {
    curvePublicKey: await find(secretFile, "public-key"),
    curveSecretKey: await find(secretFile, "secret-key"),
    curveServerKey: await find(serverFile, "public-key"),
  };
}

async function find(file, name) {
  for (const line of (await readFile(file, "utf8")).split("\n")) {
    // A # begins a comment only at the start of a line: keys contain it too.
    const equals = line.indexOf("=");
    if (equals < 0 || line.slice(0, equals).trim() !== name) continue;
    const value = line.slice(equals + 1).trim().replace(/^["']|["']$/g, "");
    if (value.length === 40) return value;
  }
  throw new Error(`${file} has no ${name} of 40 characters`);
}
