/** A list of any length, of which only the rows in sight are in the page. */

export interface Row {
  readonly element: HTMLElement;
  /** What takes the focus. */
  readonly link: HTMLElement;
  /** Makes it the row of another place. */
  fill(place: number): void;
}

/** Rows above and below those in sight, for the keyboard and for fast scrolling. */
const overscanRows = 6;

export class VirtualRows {
  readonly #scroller: HTMLElement;
  readonly #sizer: HTMLElement;
  readonly #makeRow: () => Row;
  readonly #rows = new Map<number, Row>();
  #count = 0;
  /** Pixels. These three are kept, because asking the browser while the page is being changed makes it lay everything out. */
  #rowHeight = 0;
  #viewHeight = 0;
  #scrollTop = 0;
  /** The row that the keyboard is at. */
  #current = 0;
  #isRenderDue = false;

  /**
   * @param scroller has a height of its own, and scrolls; every row has the same height.
   * @param sizer within it, made as high as all rows together.
   */
  constructor(scroller: HTMLElement, sizer: HTMLElement, makeRow: () => Row) {
    this.#scroller = scroller;
    this.#sizer = sizer;
    this.#makeRow = makeRow;
    scroller.addEventListener('scroll', () => this.#renderSoon(), { passive: true });
    scroller.addEventListener('focusin', (event) => this.#noticeFocus(event));
    new ResizeObserver(() => {
      this.#viewHeight = 0;
      this.#render();
    }).observe(scroller);
  }

  get current(): number {
    return this.#current;
  }

  /** Shows another list, or the same one after a change. */
  show(count: number): void {
    this.#count = count;
    this.#current = Math.min(this.#current, Math.max(count - 1, 0));
    for (const [place, row] of this.#rows) {
      if (place < count) row.fill(place);
    }
    this.#render();
  }

  scrollToStart(): void {
    this.#current = 0;
    this.#scrollTo(0);
    this.#render();
  }

  /** Moves the keyboard's focus to the row, or to the nearest there is. */
  focus(place: number): void {
    if (this.#count === 0) return;
    this.#current = Math.max(0, Math.min(place, this.#count - 1));
    if (!this.#measure()) return;
    this.#scrollIntoView(this.#current);
    this.#render();
    this.#rows.get(this.#current)?.link.focus({ preventScroll: true });
  }

  /** Rows that fit at once. */
  get pageRows(): number {
    return Math.max(1, Math.floor(this.#viewHeight / Math.max(this.#rowHeight, 1)) - 1);
  }

  #noticeFocus({ target }: FocusEvent): void {
    for (const [place, row] of this.#rows) {
      if (target instanceof Node && row.element.contains(target)) this.#current = place;
    }
    this.#makeReachable();
  }

  #scrollIntoView(place: number): void {
    const top = place * this.#rowHeight;
    const bottom = top + this.#rowHeight;
    if (top < this.#scrollTop) this.#scrollTo(top);
    else if (bottom > this.#scrollTop + this.#viewHeight) this.#scrollTo(bottom - this.#viewHeight);
  }

  #scrollTo(scrollTop: number): void {
    if (scrollTop === this.#scrollTop) return;
    this.#scrollTop = scrollTop;
    this.#scroller.scrollTop = scrollTop;
  }

  #renderSoon(): void {
    if (this.#isRenderDue) return;
    this.#isRenderDue = true;
    requestAnimationFrame(() => {
      this.#isRenderDue = false;
      // What is hidden scrolls to its start, and is to be where it was when it is back.
      if (this.#scroller.clientHeight === 0) return;
      this.#scrollTop = this.#scroller.scrollTop;
      this.#render();
    });
  }

  #render(): void {
    if (!this.#measure()) return;
    const height = this.#rowHeight;
    this.#sizer.style.height = `${this.#count * height}px`;
    // A list that became shorter is scrolled to its end by the browser, which says so later.
    const scrollTop = Math.min(this.#scrollTop, Math.max(0, this.#count * height - this.#viewHeight));
    const first = Math.max(0, Math.floor(scrollTop / height) - overscanRows);
    const end = Math.min(this.#count, Math.ceil((scrollTop + this.#viewHeight) / height) + overscanRows);

    const spare: Row[] = [];
    for (const [place, row] of this.#rows) {
      if (place >= first && place < end) continue;
      this.#rows.delete(place);
      spare.push(row);
    }
    // From the last to the first, so that the rows stand in the page in their order; those that stay are not moved.
    let following: HTMLElement | null = null;
    for (let place = end - 1; place >= first; place -= 1) {
      const known = this.#rows.get(place);
      const row = known ?? spare.pop() ?? this.#makeRow();
      if (known === undefined) {
        row.fill(place);
        this.#rows.set(place, row);
        this.#sizer.insertBefore(row.element, following);
      }
      row.element.style.transform = `translateY(${place * height}px)`;
      following = row.element;
    }
    for (const row of spare) row.element.remove();
    this.#makeReachable();
  }

  /** Tab leads to one row: the arrows lead to the others. */
  #makeReachable(): void {
    const reachable = this.#rows.has(this.#current) ? this.#current : Math.min(...this.#rows.keys());
    for (const [place, { link }] of this.#rows) link.tabIndex = place === reachable ? 0 : -1;
  }

  /** @returns false while the list is hidden: there is nothing to measure, and nothing to see. */
  #measure(): boolean {
    if (this.#viewHeight > 0) return true;
    this.#viewHeight = this.#scroller.clientHeight;
    if (this.#viewHeight === 0) return false;
    const { element } = this.#makeRow();
    this.#sizer.append(element);
    this.#rowHeight = element.offsetHeight || 1;
    element.remove();
    this.#sizer.style.height = `${this.#count * this.#rowHeight}px`;
    this.#scroller.scrollTop = this.#scrollTop;
    return true;
  }
}
