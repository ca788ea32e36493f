/**
 * What went wrong. The server's reasons (docs/protocol.md has them all), and those of this side: `timeout`,
 * `disconnected` (the answer was lost with the connection: it is not known whether it was done), `closed` (for good),
 * `connection_failed`, `too_many_requests`, `message_too_large`, `too_many_features`, `invalid_message`.
 */
export type ErrorCode =
  | "access_denied"
  | "unknown_crs"
  | "limit_reached"
  | "store_unavailable"
  | "projection_failed"
  | "busy"
  | "history_unavailable"
  | "unsupported"
  | "invalid_request"
  | "unknown_method"
  | "invalid_parameter"
  | "server_error"
  | "timeout"
  | "disconnected"
  | "closed"
  | "connection_failed"
  | "too_many_requests"
  | "message_too_large"
  | "too_many_features"
  | "invalid_message";

/** The one kind of error of this package. */
export class GeocastError extends Error {
  override readonly name = "GeocastError";
  readonly code: ErrorCode;
  /** More about it: what the server sent as `data`, or how a connection ended (`{ code, reason }`). */
  readonly data: unknown;

  constructor(code: ErrorCode, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }

  /** What the member `error` of an answer says (JSON-RPC 2.0 §5.1). */
  static answered(error: { code: number; message: string; data?: unknown }): GeocastError {
    return new GeocastError(names.get(error.code) ?? "server_error", error.message, error.data);
  }
}

const names = new Map<number, ErrorCode>([
  [-32700, "invalid_request"],
  [-32600, "invalid_request"],
  [-32601, "unknown_method"],
  [-32602, "invalid_parameter"],
  [-32000, "access_denied"],
  [-32001, "unknown_crs"],
  [-32002, "limit_reached"],
  [-32003, "store_unavailable"],
  [-32004, "projection_failed"],
  [-32005, "busy"],
  [-32006, "history_unavailable"],
  [-32007, "unsupported"],
]);
