import { createHmac } from "node:crypto";

/** What `--jwt-key-file` is given in tests. */
export const secret = "a secret of thirty-two bytes, or more";

/** A token with these claims, signed with HS256. */
export function token(claims, key = secret) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256" })}.${part(claims)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}
