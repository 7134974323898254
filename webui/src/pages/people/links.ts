import type { User } from "./user";

/** Handles that are pages: the id stands in for them. */
const pages = ["new", "import"];

/** The page of a person. */
export function personPath(user: Pick<User, "handle" | "id">): string {
  return `/people/${encodeURIComponent(pages.includes(user.handle) ? user.id : user.handle)}`;
}
