// What becomes of messages, in words, with the colour and the sign of each.
import { t } from "page/words";

export const STATES = (): Record<string, [string, string, string]> => ({
  queued: [t("waits"), "wait", "clock"],
  sending: [t("is being sent"), "info", "send"],
  sent: [t("sent"), "ok", "check"],
  delivered: [t("delivered"), "ok", "checks"],
  read: [t("read"), "ok", "eye-check"],
  unconfirmed: [t("unknown"), "wait", "help"],
  undelivered: [t("not delivered"), "bad", "circle-x"],
  failed: [t("not sent"), "bad", "circle-x"],
  expired: [t("too late"), "off", "clock-off"],
  cancelled: [t("cancelled"), "off", "ban"],
});
