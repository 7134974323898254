/** What happened on the appliance, as `GET /events/stream` sends it and `/events` lists it. */
export interface ApplianceEvent {
  id: number;
  at: string;
  topic: string;
  type: string;
  subject: string;
  data: unknown;
}

export function parseEvent(text: string): ApplianceEvent | undefined {
  try {
    const value = JSON.parse(text) as Partial<ApplianceEvent> | null;
    if (typeof value?.id !== "number" || typeof value.type !== "string") return undefined;
    return { at: "", topic: "", subject: "", data: null, ...value } as ApplianceEvent;
  } catch {
    return undefined;
  }
}
