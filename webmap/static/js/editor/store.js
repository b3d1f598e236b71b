// The features as they are saved and as the person wants them; every step can be taken back until it is saved.
// A record {id, fid, version, personalVersion, isDeleted, geometry, attributes} is never changed, only replaced.

export const same = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other);

function sameRecord(one, other) {
  return one === other || (one && other && same(one.geometry, other.geometry) && same(one.attributes, other.attributes));
}

/** Return the record of a feature of our own GeoJSON. */
export function recordOf({ id, version, personal_version: personalVersion, geometry, properties }) {
  return { id: `fid:${id}`, fid: id, version, personalVersion, isDeleted: false, geometry, attributes: properties };
}

export class Store extends EventTarget {
  #base = new Map(); // as the database had it
  #now = new Map(); // as it is to become
  #done = [];
  #undone = [];
  #selection = new Set();
  #lastNew = 0;

  get(id) { return this.#now.get(id); }
  before(id) { return this.#base.get(id); }
  all() { return [...this.#now.values()]; }
  get selected() { return [...this.#selection].map((id) => this.#now.get(id)).filter(Boolean); }
  isSelected(id) { return this.#selection.has(id); }
  get canUndo() { return this.#done.length > 0; }
  get canRedo() { return this.#undone.length > 0; }

  newId() {
    this.#lastNew += 1;
    return `new:${this.#lastNew}`;
  }

  /** Take what the server has in the view. Features with unsaved changes keep the version the person saw. */
  load(records) {
    // Those in a step count, too: redoing it on a newer version would undo what somebody else did meanwhile.
    const steps = [...this.#done, ...this.#undone].flat();
    const touched = new Set([...this.unsaved(), ...steps].map(({ id }) => id));
    const kept = (id) => touched.has(id) || this.#selection.has(id);
    for (const id of this.#now.keys()) if (!kept(id)) { this.#now.delete(id); this.#base.delete(id); }
    for (const record of records) {
      const known = this.#base.get(record.id);
      // The same version stays the same object, so that nobody's hand is taken off a shape.
      if (touched.has(record.id)) this.#addPersonal(record);
      if (touched.has(record.id) || (known?.version === record.version && known.personalVersion === record.personalVersion)) continue;
      this.#base.set(record.id, record);
      this.#now.set(record.id, record);
    }
    this.#tell("change");
  }

  /** Personal attributes are in no draft: what has none of them takes them as they are now. */
  #addPersonal({ id, attributes, personalVersion }) {
    for (const records of [this.#base, this.#now]) {
      const record = records.get(id);
      if (!record || record.personalVersion !== undefined) continue;
      records.set(id, { ...record, personalVersion, attributes: { ...attributes, ...record.attributes } });
    }
  }

  /** Do one step: [{id, after}], `after` null for a deletion. */
  run(changes) {
    const step = changes.map(({ id, after }) => ({ id, before: this.#now.get(id) ?? null, after }))
      .filter(({ before, after }) => !sameRecord(before, after));
    if (!step.length) return;
    this.#done.push(step);
    this.#undone = [];
    this.#put(step, "after");
  }

  undo() {
    const step = this.#done.pop();
    if (!step) return;
    this.#undone.push(step);
    this.#put(step, "before");
  }

  redo() {
    const step = this.#undone.pop();
    if (!step) return;
    this.#done.push(step);
    this.#put(step, "after");
  }

  select(ids) {
    this.#selection = new Set(ids.filter((id) => this.#now.has(id)));
    this.#tell("selection");
  }

  /** Return [{id, before, after}] of all that differs from what is saved. */
  unsaved() {
    const ids = new Set([...this.#base.keys(), ...this.#now.keys()]);
    return [...ids].map((id) => ({ id, before: this.#base.get(id) ?? null, after: this.#now.get(id) ?? null }))
      .filter(({ before, after }) => !(before?.isDeleted && !after) && !(before?.isDeleted === after?.isDeleted && sameRecord(before, after)));
  }

  /** Set base and wish of some features at once: a draft that comes back, a conflict that is settled. No step back. */
  settle(entries) {
    for (const { id, before, after } of entries) {
      before ? this.#base.set(id, before) : this.#base.delete(id);
      after ? this.#now.set(id, after) : this.#now.delete(id);
      if (id.startsWith("new:")) this.#lastNew = Math.max(this.#lastNew, Number(id.slice(4)));
    }
    this.#forgetSteps();
  }

  /** Forget all that was changed here; what is so now comes with the next load. */
  reset() {
    this.#base.clear();
    this.#now.clear();
    this.#selection.clear();
    this.#forgetSteps();
  }

  #forgetSteps() {
    this.#done = [];
    this.#undone = [];
    this.#tell("selection");
    this.#tell("change");
  }

  #put(step, side) {
    for (const { id, [side]: record } of step) {
      if (record) this.#now.set(id, record);
      else { this.#now.delete(id); this.#selection.delete(id); }
    }
    this.#tell("change");
  }

  #tell(name) { this.dispatchEvent(new Event(name)); }
}
