import type { User } from "./user";

/** The page of a person. The handle "new" would be the page that adds one, so the id stands in for it. */
export function personPath(user: Pick<User, "handle" | "id">): string {
  return `/people/${encodeURIComponent(user.handle === "new" ? user.id : user.handle)}`;
}
