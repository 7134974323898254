import type { Catalogue } from "../../lib/i18n";

export default {} as const satisfies Catalogue;
