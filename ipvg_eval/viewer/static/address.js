// What is shown is said by the address, so that a link to it can be sent.

const DEFAULTS = {
  view: "grid", sample: "", frame: "", q: "", status: "", kind: "", of: "", range: "", low: "", high: "",
  sort: "", by: "", turned: "",
};

const Address = {
  state: { ...DEFAULTS },
  follow: () => {},

  read() {
    const given = new URLSearchParams(location.hash.slice(1));
    const state = { ...DEFAULTS };
    for (const key of Object.keys(DEFAULTS)) if (given.has(key)) state[key] = given.get(key);
    if (state.sample && !given.has("view")) state.view = "sample";
    Address.state = state;
  },

  /** The address of a state that differs from the present one in this. */
  of(change) {
    const state = { ...Address.state, ...change };
    const said = Object.entries(state).filter(([key, value]) => value !== DEFAULTS[key] && value !== "");
    return `#${new URLSearchParams(said)}`;
  },

  /** Go to a state; `quiet` leaves no step in the history. */
  go(change, { quiet = false } = {}) {
    const address = Address.of(change);
    Address.state = { ...Address.state, ...change };
    if (address !== location.hash) history[quiet ? "replaceState" : "pushState"](null, "", address);
  },

  start(follow) {
    Address.read();
    for (const event of ["popstate", "hashchange"]) {
      window.addEventListener(event, () => {
        const before = JSON.stringify(Address.state);
        Address.read();
        if (JSON.stringify(Address.state) !== before || location.hash === "#main") follow();
      });
    }
  },
};
