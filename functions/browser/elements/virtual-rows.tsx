/** A table of any length, of which only the rows in sight are in the page. */

import { Component, type ComponentChildren, createRef, type RefObject } from 'preact';

/** Rows above and below those in sight, for the keyboard and for fast scrolling. */
const overscanRows = 6;

/** Where the reader is. It outlives the rows, so that the list is where it was when it is shown again. */
export interface RowPosition {
  /** Which list this is: another one begins at its top. */
  list: string;
  /** The row that the keyboard is at. */
  current: number;
  /** Pixels. */
  scrollTop: number;
}

interface VirtualRowsProperties {
  /** Gets this, for the keyboard. */
  readonly handle: RefObject<VirtualRows | null>;
  readonly list: string;
  readonly count: number;
  readonly position: RowPosition;
  /** Stays above the rows. */
  readonly titles: ComponentChildren;
  /** The row's cells. One of them has the row's only link, with this `tabIndex`: Tab leads to one row, the arrows to the others. */
  readonly cellsOf: (place: number, tabIndex: 0 | -1) => ComponentChildren;
}

export class VirtualRows extends Component<VirtualRowsProperties> {
  readonly #scroller = createRef<HTMLDivElement>();
  readonly #sizer = createRef<HTMLDivElement>();
  readonly #observer = new ResizeObserver(() => this.#measure());
  /** Pixels; 0 before the first row is there. Every row has this height. */
  #rowHeight = 0;
  /** Of what the titles leave. */
  #viewHeight = 0;

  override componentDidMount(): void {
    this.props.handle.current = this;
    this.#measure();
    this.#scrollBack();
    if (this.#scroller.current !== null) this.#observer.observe(this.#scroller.current);
  }

  override componentDidUpdate(previous: VirtualRowsProperties): void {
    if (previous.list !== this.props.list) this.#scrollBack();
    if (this.#rowHeight === 0) this.#measure();
  }

  override componentWillUnmount(): void {
    this.props.handle.current = null;
    this.#observer.disconnect();
  }

  get current(): number {
    return this.props.position.current;
  }

  /** Moves the keyboard's focus to the row, or to the nearest there is. */
  focus(place: number): void {
    const { count, position } = this.props;
    if (count === 0) return;
    position.current = Math.max(0, Math.min(place, count - 1));
    const top = position.current * this.#rowHeight;
    position.scrollTop = Math.max(top + this.#rowHeight - this.#viewHeight, Math.min(position.scrollTop, top));
    this.#scrollBack();
    this.setState({}, () =>
      this.#sizer.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true }),
    );
  }

  /** Arrows, Home, End and the page keys. @returns whether it was one of them. */
  moveBy(key: string): boolean {
    const { current } = this;
    const pageRows = Math.max(1, Math.floor(this.#viewHeight / Math.max(this.#rowHeight, 1)) - 1);
    const places: Readonly<Record<string, number>> = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + pageRows,
      PageUp: current - pageRows,
      Home: 0,
      End: this.props.count - 1,
    };
    const place = places[key];
    if (place !== undefined) this.focus(place);
    return place !== undefined;
  }

  override render({ list, count, position, titles, cellsOf }: VirtualRowsProperties): ComponentChildren {
    if (position.list !== list) Object.assign(position, { list, current: 0, scrollTop: 0 });
    const height = this.#rowHeight;
    // A list that became shorter is scrolled to its end by the browser, which reports that later.
    const scrollTop = Math.min(position.scrollTop, Math.max(0, count * height - this.#viewHeight));
    const first = Math.max(0, Math.floor(scrollTop / (height || 1)) - overscanRows);
    const end = Math.min(count, Math.ceil((scrollTop + this.#viewHeight) / (height || 1)) + overscanRows);
    const places = Array.from({ length: end - first }, (_, index) => first + index);
    const reachable = places.includes(position.current) ? position.current : first;
    return (
      <div class="rows" role="presentation" ref={this.#scroller} onScroll={this.#noticeScroll}>
        <div class="titles" role="rowgroup">
          {titles}
        </div>
        <div
          class="sizer"
          role="rowgroup"
          ref={this.#sizer}
          style={{ height: `${count * height}px`, paddingTop: `${first * height}px` }}
          onFocusIn={this.#noticeFocus}
        >
          {places.map((place) => (
            <div key={place} class="row" role="row" aria-rowindex={place + 2}>
              {cellsOf(place, place === reachable ? 0 : -1)}
            </div>
          ))}
        </div>
      </div>
    );
  }

  readonly #noticeScroll = () => {
    this.props.position.scrollTop = this.#scroller.current?.scrollTop ?? 0;
    this.setState({});
  };

  readonly #noticeFocus = ({ target }: FocusEvent) => {
    const row = (target as Element).closest('[aria-rowindex]');
    this.props.position.current = Number(row?.getAttribute('aria-rowindex')) - 2;
    this.setState({});
  };

  #scrollBack(): void {
    if (this.#scroller.current !== null) this.#scroller.current.scrollTop = this.props.position.scrollTop;
  }

  #measure(): void {
    const [scroller, sizer] = [this.#scroller.current, this.#sizer.current];
    const row = sizer?.firstElementChild;
    if (scroller === null || !(row instanceof HTMLElement)) return;
    const [rowHeight, viewHeight] = [row.offsetHeight, scroller.clientHeight - (sizer?.offsetTop ?? 0)];
    if (rowHeight === this.#rowHeight && viewHeight === this.#viewHeight) return;
    this.#rowHeight = rowHeight;
    this.#viewHeight = viewHeight;
    this.setState({});
  }
}
