// In which form a value is shown: the filters that have a name for people.
import { t } from "page/words";

export const FORMS = (): [string, string][] => [
  ["", t("as it is")],
  ["upper", t("in capitals")],
  ["lower", t("in small letters")],
  ["first_word", t("the first word only")],
  ["money", t("sum of money")],
  ["date", t("date")],
  ["phone", t("phone number")],
];

/** What filters are called, as they are written where they have no name. */
export function formTitle(filters: string): string {
  return FORMS().find(([name]) => name === filters)?.[1] ?? filters;
}
