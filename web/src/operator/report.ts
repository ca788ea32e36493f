/** What a server tells operators, as far as it is shown. The server's own description has all of it. */
export interface Report {
  /** In milliseconds since 1970. */
  at: number;
  server: { version: string; uptime_seconds: number; draining: boolean; limits: { connections: number; outbox_bytes: number } };
  now: { connections: number; channels: number; subscriptions: number; tracked: number; behind: number; slow: number; outbox_bytes: number };
  /** What only rises. */
  totals: Record<string, number>;
  store: Store;
  workers: { up: boolean; connections: number }[];
  channels: { list: Channel[]; truncated: boolean };
  connections: { list: Connection[]; next: number | null };
  slow: Connection[];
  errors: { list: Trouble[]; total: number };
}

export interface Store {
  kind: string;
  description: string;
  healthy: boolean;
  trouble: string | null;
  probe_age_seconds: number | null;
  probe_round_trip_seconds: number | null;
  interruptions: number;
  reconnects: number;
  commands_failed: number;
  state_bytes: number | null;
  history_bytes: number | null;
}

export interface Channel {
  name: string;
  subscribers: number;
  events: number;
  deliveries: number;
}

export interface Connection {
  id: number;
  address: string;
  dialect: string;
  age_seconds: number;
  crs: string | null;
  viewport: { crs: string; corners: [number, number, number, number]; boxes: [number, number, number, number][] } | null;
  channels: { count: number; names: string[] };
  waiting_bytes: number;
  blocked: boolean;
  behind: boolean;
  delivered: number;
}

export interface Trouble {
  at: number;
  level: "warn" | "error";
  text: string;
}

/** How a connection is: whether its socket is full, or a map of it is not up to date. */
export type Health = "slow" | "behind" | "well";

export function healthOf({ blocked, behind }: Connection): Health {
  return blocked ? "slow" : behind ? "behind" : "well";
}
