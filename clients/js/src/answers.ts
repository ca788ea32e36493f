import type { Offset } from "./messages.js";
import type { Box, Crs } from "./viewport.js";

/** What `get` found in the viewport. */
export interface State {
  channel: string;
  key?: string;
  crs: Crs;
  values: any[];
}

/** What was published, oldest first. */
export interface History {
  channel: string;
  /** How far it goes: as `since`, it brings what follows. */
  offset?: Offset;
  epoch?: string;
  /** Nothing is missing behind the offset that was asked for. */
  recovered?: boolean;
  messages: { offset: Offset; content: any; timestamp?: number }[];
}

/** A viewport that is in force. */
export interface ViewportInForce {
  bbox: Box | null;
  crs: Crs;
  zoom?: number | null;
  properties?: object;
  members?: "whole" | "inside";
  fields?: string[];
  precision?: number;
  tolerance?: number;
  min_move?: number;
}

/** What has become of the events of a channel: `events` is `granted` and what was withheld for each reason. */
export interface Account {
  tracked: boolean;
  events: number;
  granted: number;
  withheld: { [reason: string]: number };
}

/** What the server believes about this connection (docs/protocol.md, what has become of events). */
export interface Session {
  channels: string[];
  crs: Crs;
  viewport: ViewportInForce | null;
  withheld: { [reason: string]: number };
  accounts: { [channel: string]: Account };
  connection: { granted: number; delivered: number; waiting: number; replaced: number; slow: number };
}
