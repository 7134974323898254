/** Short notices that go by themselves, said to screen readers too. */

export interface Toast {
  id: number;
  text: string;
  tone: "good" | "bad" | "plain";
  undo?: (() => void) | undefined;
}

class ToastStore {
  list = $state.raw<readonly Toast[]>([]);
  #last = 0;

  /** One with an `undo` stays longer. */
  show(text: string, { undo, tone = "plain" }: { undo?: () => void; tone?: Toast["tone"] } = {}): void {
    const id = ++this.#last;
    this.list = [...this.list.slice(-3), { id, text, tone, undo }];
    setTimeout(() => this.drop(id), undo ? 12000 : 6000);
  }

  drop(id: number): void {
    this.list = this.list.filter((each) => each.id !== id);
  }
}

export const toast = new ToastStore();
