// A client of the package as it is built, that ends with the test.
import WebSocket from "ws";
import { connect } from "../dist/index.js";

/** The package `ws`, or Node's own where a run asks for it. */
export const sockets = process.env.OWN_WEBSOCKET ? {} : { WebSocket };

export function client(test, url, options = {}) {
  const made = connect(url, { ...sockets, backoff: { first: 50, longest: 500 }, ...options });
  // What fails unexpectedly is seen in the test's output; tests that expect it listen as well.
  const errors = [];
  made.on("error", (error) => errors.push(error));
  test.after(() => made.close());
  return Object.assign(made, { errors });
}
