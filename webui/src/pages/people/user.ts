/** The resources of these pages, as the API's own document types them. */
import type { components } from "../../api/schema";

type Schemas = components["schemas"];

export type User = Schemas["user"];
export type NewUser = Schemas["uc_user_create"];
export type UserPatch = Schemas["uc_user_patch"];
export type Registration = Schemas["registration"];
export type CallRecord = Schemas["cdr"];
export type Replica = Schemas["replication_list"]["items"][number];
