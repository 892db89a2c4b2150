// Stripe's fields for a card on the checkout page. Loaded by that page if it has them; loads Stripe's script once a card is chosen.
// What is entered stays in Stripe's frames. The page asks by `data-step`: `check` before the payment is requested, `confirm`
// after. Without the fields, as when Stripe's script is blocked, `data-on` is missing and the shopper pays on Stripe's page.
const card = document.getElementById('card');
const form = card.closest('form');
const [place, alert] = card.children;
const data = card.dataset;
const chosen = () => new FormData(form).get('payment_method') === data.method;
let stripe;
let elements;
let loading;

/** What Stripe's script needs to offer the saved cards of a customer, and to save another one. Without it, neither is offered. */
async function offered() {
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  const response = await fetch('/api/cards/offer', request).catch(() => undefined);
  return response?.ok ? response.json() : null;
}

function load() {
  if (loading) return loading;
  const script = new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = data.script;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  loading = Promise.all([offered(), script])
    .then(([cards]) => {
      stripe = Stripe(data.key, { locale: document.documentElement.lang });
      elements = stripe.elements({
        mode: 'payment',
        amount: Number(data.amount),
        currency: data.currency.toLowerCase(),
        captureMethod: 'authorizes' in data ? 'manual' : 'automatic',
        ...(cards && { customerSessionClientSecret: cards }),
        appearance: { theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'night' : 'stripe' },
      });
      const fields = elements.create('payment');
      fields.on('loaderror', off);
      show();
      fields.mount(place);
      document.getElementById(`payment_method-${data.method}-note`).textContent = data.note;
    })
    .catch(off);
  return loading;
}

function off() {
  elements = undefined;
  card.hidden = true;
  delete data.on;
}

function show() {
  card.hidden = !elements || !chosen();
}

/** Says what is wrong, and lets the shopper try again. What was entered stays. */
function failed(error) {
  alert.textContent = error.message ?? '';
  card.dispatchEvent(new Event('declined'));
  card.scrollIntoView({ block: 'nearest' });
}

const steps = {
  async check() {
    await load();
    if (elements) {
      const { error } = await elements.submit();
      if (error) return failed(error);
    }
    data.ready = '';
    form.requestSubmit();
    delete data.ready;
  },
  async confirm() {
    const { secret, return_url } = data;
    delete data.secret;
    // Leaves the page if it succeeds.
    const { error } = await stripe.confirmPayment({ elements, clientSecret: secret, confirmParams: { return_url } });
    if (error) failed(error);
  },
};

new MutationObserver((changes) => {
  if (changes.some(({ attributeName }) => attributeName === 'data-amount')) elements?.update({ amount: Number(data.amount) });
  const step = steps[data.step];
  if (!step) return;
  delete data.step;
  alert.textContent = '';
  step().catch(failed);
}).observe(card, { attributeFilter: ['data-step', 'data-amount'] });

function begin() {
  const update = () => {
    if (chosen()) load();
    show();
  };
  data.on = '';
  form.addEventListener('change', update);
  update();
}

// Until the page is hydrated, its elements are not to be changed.
const root = document.documentElement;
if (root.hasAttribute('data-live')) begin();
else {
  const live = new MutationObserver(() => {
    if (!root.hasAttribute('data-live')) return;
    live.disconnect();
    begin();
  });
  live.observe(root, { attributeFilter: ['data-live'] });
}
