// Suggestions below the search field of the header: queries, products, categories and shops. Loaded when the field is first focused;
// without it, the form searches. The pattern is the combobox with a list box of the ARIA Authoring Practices Guide: the focus stays in
// the field, the arrow keys move through the list, Enter opens what is chosen, Escape closes.
const ready = new WeakSet();

/** Prepares a search field, once. */
export function suggest(input) {
  if (ready.has(input)) return;
  ready.add(input);
  const kinds = (input.dataset.words ?? '').split('|');
  // Outside of what the program hydrates.
  const list = document.createElement('div');
  list.id = 'suggestions';
  list.className = 'suggestions';
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', kinds[0]);
  list.hidden = true;
  const landmark = document.createElement('div');
  landmark.setAttribute('role', 'search');
  landmark.setAttribute('aria-label', kinds[0]);
  landmark.append(list);
  document.body.append(landmark);
  const set = (attributes) => {
    for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
  };
  set({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-controls': list.id, 'aria-expanded': 'false' });

  let [asked, wanted, timer, chosen] = ['', 0, 0, -1];
  const options = () => [...list.querySelectorAll('[role=option]')];

  function close() {
    list.hidden = true;
    chosen = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function place() {
    const at = (input.closest('form') ?? input).getBoundingClientRect();
    list.style.setProperty('top', `${at.bottom + scrollY + 4}px`);
    list.style.setProperty('left', `${at.left + scrollX}px`);
    list.style.setProperty('width', `${at.width}px`);
  }

  function choose(next) {
    const all = options();
    all[chosen]?.setAttribute('aria-selected', 'false');
    // One step beyond either end is the field itself.
    const places = all.length + 1;
    chosen = ((((next + 1) % places) + places) % places) - 1;
    const option = all[chosen];
    if (!option) {
      input.removeAttribute('aria-activedescendant');
      return;
    }
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', option.id);
  }

  function option(href, words, picture) {
    const link = document.createElement('a');
    link.href = href;
    link.tabIndex = -1;
    link.setAttribute('role', 'option');
    link.setAttribute('aria-selected', 'false');
    if (picture) {
      const image = document.createElement('img');
      Object.assign(image, { src: picture, alt: '', width: 40, height: 40, loading: 'lazy' });
      link.append(image);
    }
    const text = document.createElement('span');
    text.textContent = words;
    link.append(text);
    return link;
  }

  function group(words, links) {
    if (!links.length) return;
    const group = document.createElement('div');
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', words);
    const title = document.createElement('p');
    title.setAttribute('aria-hidden', 'true');
    title.textContent = words;
    group.append(title, ...links);
    list.append(group);
  }

  function show({ queries, products, categories, shops }) {
    list.replaceChildren();
    const action = input.form?.getAttribute('action') ?? '';
    group(kinds[1], queries.map((q) => option(`${action}?q=${encodeURIComponent(q)}`, q)));
    const shown = ({ slug, title, image }) =>
      option(`/p/${encodeURIComponent(slug)}`, title, image && `/media/${image.id}-320.webp`);
    group(kinds[2], products.map(shown));
    group(kinds[3], categories.map(({ slug, name }) => option(`/c/${encodeURIComponent(slug)}`, name)));
    group(kinds[4], shops.map(({ handle, name }) => option(`/shops/${encodeURIComponent(handle)}`, name)));
    options().forEach((one, at) => {
      one.id = `suggestion-${at}`;
    });
    if (!options().length || document.activeElement !== input) {
      close();
      return;
    }
    chosen = -1;
    input.removeAttribute('aria-activedescendant');
    place();
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
  }

  async function ask() {
    const q = input.value.trim();
    if (q === asked) return;
    asked = q;
    const turn = ++wanted;
    if (q.length < 2) {
      close();
      return;
    }
    try {
      const response = await fetch('/api/catalog/suggest', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ q }),
      });
      const found = response.ok ? await response.json() : undefined;
      if (found && turn === wanted) show(found);
    } catch {
      // Offline: the form still works once there is a connection.
      close();
    }
  }

  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener('keydown', (event) => {
    const all = options();
    if (event.key === 'Escape' && !list.hidden) {
      event.preventDefault();
      close();
    } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && all.length) {
      event.preventDefault();
      if (list.hidden) {
        place();
        list.hidden = false;
        input.setAttribute('aria-expanded', 'true');
      }
      choose(chosen + (event.key === 'ArrowDown' ? 1 : -1));
    } else if (event.key === 'Enter' && !list.hidden && all[chosen]) {
      event.preventDefault();
      all[chosen].click();
      close();
    }
  });
  input.addEventListener('blur', () => setTimeout(close, 150));
  addEventListener('resize', () => list.hidden || place());
  if (input.value.trim() === '') asked = '';
  ask();
}
