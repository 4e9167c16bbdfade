// Saves what a link leads to as a file. Inside Bitrix24's frame a plain link would go without the person's token.
import { call } from "../session.js";
import { t } from "../words.js";
import { toast } from "../toast.js";

export default function download(link) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    const answer = await call("GET", link.getAttribute("href"));
    if (!answer.ok) {
      toast(t("The file could not be fetched. Try again."), { tone: "bad" });
      return;
    }
    const file = document.createElement("a");
    file.href = URL.createObjectURL(await answer.blob());
    file.download = link.getAttribute("download");
    file.click();
    URL.revokeObjectURL(file.href);
  });
}
