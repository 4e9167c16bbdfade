// Copies what the button carries; where the clipboard is closed, as in some frames, it selects the text instead.
import { toast } from "../toast.js";
import { t } from "../words.js";

export default function copy(button) {
  button.addEventListener("click", async () => {
    const field = button.parentElement.querySelector("input");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      field?.select();
      if (!document.execCommand("copy")) return;
    }
    toast(t("Copied"));
  });
}
