/** How long to wait between attempts to connect, in milliseconds. */
export interface Backoff {
  /** The longest wait before the second attempt; it doubles with each one that fails. 500 if left out. */
  first?: number;
  /** The longest wait of all. 30 000 if left out. */
  longest?: number;
}

/**
 * The wait before the next attempt, after so many that failed: anything from nothing to the bound ("full jitter"), so
 * that the clients of a server that was away do not come back all at once.
 */
export function jitter(failed: number, { first = 500, longest = 30_000 }: Backoff): number {
  return Math.random() * Math.min(longest, first * 2 ** Math.min(failed, 20));
}

/**
 * The wait before what was taken away is asked for again, in milliseconds: half of the longest wait at least, as nothing
 * but another configuration of the server gives it back.
 */
export function slowly({ longest = 30_000 }: Backoff): number {
  return (longest * (1 + Math.random())) / 2;
}

/** What a server that restarts asks for, in milliseconds: `server restarts; retry in 1234 ms` (code 1012). */
export function askedFor(code: number, reason: string): number | undefined {
  const asked = code === 1012 ? /retry in (\d{1,9}) ms/.exec(reason) : null;
  return asked ? Math.min(Number(asked[1]), 60_000) : undefined;
}

/**
 * Whether a connection that ended with this code is not to be opened again (docs/protocol.md, close codes): what this
 * client sends is refused as it is, or the server says so with 3500 to 3999, or 4500 to 4999. 3010, the end of a
 * token's time, is final for who has no other token.
 */
export function isFinal(code: number): boolean {
  const refused = [1000, 1002, 1003, 1007, 1008, 1009].includes(code);
  return refused || (code >= 3500 && code < 4000) || (code >= 4500 && code < 5000);
}

/** The time of the token is over. */
export const TOKEN_EXPIRED = 3010;

/** Whether a handshake was refused for a reason that trying again does not mend. */
export function isFinalStatus(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
}
