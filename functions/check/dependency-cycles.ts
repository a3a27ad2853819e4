/** Packages that need each other, or themselves: pkg_add recurses until it fails. Runs in a browser too. */

import type { InSteps, Resolutions } from './dependencies.ts';

const cycleLimits = {
  /**
   * Dependencies followed to find a shorter cycle than the first, over all components: a few tenths of a second. Beyond this the shortest
   * one found so far is reported; real cycles have a handful of packages.
   */
  dependenciesFollowedMax: 2_000_000,
} as const;

/** Packages of which each needs each other, directly or not. */
export interface DependencyCycle {
  /** PKGNAMEs of the shortest cycle among them: each needs the next one, and the last needs the first. */
  readonly names: readonly string[];
  /** How many packages that cycle has. */
  readonly length: number;
  /** How many packages need each other; more than `names` where cycles overlap. */
  readonly packages: number;
}

interface Package {
  readonly name: string;
  readonly depends: readonly string[];
}

export function* findDependencyCycles(
  packages: readonly Package[],
  resolutions: Resolutions,
  dependenciesFollowedMax: number = cycleLimits.dependenciesFollowedMax,
): InSteps<DependencyCycle[]> {
  const graph = yield* dependencyGraph(packages, resolutions);
  const search = new CycleSearch(graph.edges, dependenciesFollowedMax);
  const cycles: DependencyCycle[] = [];
  for (const component of yield* cyclicComponents(graph.edges)) {
    const shortest = yield* search.shortest(component);
    const names = shortest.map((node) => graph.names[node] ?? '');
    cycles.push({ names, length: names.length, packages: component.length });
  }
  return cycles;
}

type Edges = readonly (readonly number[])[];

/** Nodes are names: of several files with one PKGNAME, any may be the one that a client sees. */
function* dependencyGraph(
  packages: readonly Package[],
  resolutions: Resolutions,
): InSteps<{ readonly names: readonly string[]; readonly edges: Edges }> {
  const nodes = new Map<string, number>();
  for (const { name } of packages) if (!nodes.has(name)) nodes.set(name, nodes.size);
  const edges = Array.from(nodes, () => new Set<number>());
  for (const { name, depends } of packages) {
    yield;
    const from = edges[nodes.get(name) ?? 0];
    for (const pattern of depends) {
      const needed = nodes.get(resolutions.get(pattern)?.name ?? '');
      if (needed !== undefined) from?.add(needed);
    }
  }
  return { names: [...nodes.keys()], edges: edges.map((needed) => [...needed]) };
}

/**
 * The strongly connected components that have a cycle, in the order of their first nodes; the nodes of each in order (Tarjan 1972, with a
 * stack of our own, since a chain of dependencies may have any length).
 */
function* cyclicComponents(edges: Edges): InSteps<number[][]> {
  const unvisited = -1;
  const order = new Int32Array(edges.length).fill(unvisited);
  const lowest = new Int32Array(edges.length);
  const isOpen = new Uint8Array(edges.length);
  const open: number[] = [];
  const components: number[][] = [];
  let visited = 0;
  for (const root of edges.keys()) {
    if (order[root] !== unvisited) continue;
    const path: { readonly node: number; next: number }[] = [];
    const enter = (node: number) => {
      order[node] = visited;
      lowest[node] = visited;
      visited += 1;
      open.push(node);
      isOpen[node] = 1;
      path.push({ node, next: 0 });
    };
    enter(root);
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const { node } = step;
      const needed = edges[node]?.[step.next];
      step.next += 1;
      if (needed !== undefined && order[needed] === unvisited) enter(needed);
      else if (needed !== undefined && isOpen[needed] === 1) lower(lowest, node, order[needed]);
      else if (needed === undefined) {
        yield;
        path.pop();
        const parent = path.at(-1);
        if (parent !== undefined) lower(lowest, parent.node, lowest[node]);
        if (lowest[node] !== order[node]) continue;
        const component = open.splice(open.lastIndexOf(node));
        for (const member of component) isOpen[member] = 0;
        if (component.length > 1 || edges[node]?.includes(node)) components.push(component.sort((a, b) => a - b));
      }
    }
  }
  return components.sort(([a = 0], [b = 0]) => a - b);
}

function lower(lowest: Int32Array, node: number, value: number | undefined): void {
  lowest[node] = Math.min(lowest[node] ?? 0, value ?? 0);
}

/** Searches breadth first from every node of a component, no further than the shortest cycle so far. */
class CycleSearch {
  readonly #edges: Edges;
  /** The component that a node was last searched in, and the search that reached it last and from where. */
  readonly #component: Int32Array;
  readonly #reachedBy: Int32Array;
  readonly #reachedFrom: Int32Array;
  #components = 0;
  #searches = 0;
  #dependenciesLeft: number;

  constructor(edges: Edges, dependenciesFollowedMax: number) {
    this.#dependenciesLeft = dependenciesFollowedMax;
    this.#edges = edges;
    this.#component = new Int32Array(edges.length);
    this.#reachedBy = new Int32Array(edges.length);
    this.#reachedFrom = new Int32Array(edges.length);
  }

  /** @returns the nodes of a cycle, the shortest one unless the limit was reached. The first search always finds one. */
  *shortest(component: readonly number[]): InSteps<readonly number[]> {
    this.#components += 1;
    for (const node of component) this.#component[node] = this.#components;
    let shortest: readonly number[] = [];
    for (const start of component) {
      if (shortest.length === 1 || (shortest.length > 0 && this.#dependenciesLeft <= 0)) break;
      yield;
      shortest = this.#through(start, shortest.length || component.length + 1) ?? shortest;
    }
    return shortest;
  }

  /** @returns undefined if every cycle through the node has `lengthMax` nodes or more. */
  #through(start: number, lengthMax: number): number[] | undefined {
    this.#searches += 1;
    this.#reachedBy[start] = this.#searches;
    let layer = [start];
    for (let length = 1; layer.length > 0 && length < lengthMax; length += 1) {
      const following: number[] = [];
      for (const node of layer) {
        for (const needed of this.#edges[node] ?? []) {
          this.#dependenciesLeft -= 1;
          if (needed === start) return this.#path(start, node);
          const isMember = this.#component[needed] === this.#components;
          if (!isMember || this.#reachedBy[needed] === this.#searches) continue;
          this.#reachedBy[needed] = this.#searches;
          this.#reachedFrom[needed] = node;
          following.push(needed);
        }
      }
      layer = following;
    }
    return undefined;
  }

  #path(start: number, end: number): number[] {
    const path = [end];
    for (let node = end; node !== start; ) {
      node = this.#reachedFrom[node] ?? start;
      path.push(node);
    }
    return path.reverse();
  }
}
