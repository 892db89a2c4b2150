// Razorpay's window over the checkout page. Loaded by that page if it has one; loads Razorpay's script once the shopper pays.
// The page asks by `data-step`: `check` before the payment is requested, `confirm` after. If the script can't be loaded,
// `data-on` is removed, and the shopper pays on Razorpay's page.
const place = document.getElementById('pay-window');
const form = place.closest('form');
const alert = place.firstElementChild;
const data = place.dataset;
let loading;

function load() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = data.script;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  return loading;
}

/** The colour of the button, as Razorpay takes it. */
function colour() {
  const parts = getComputedStyle(form.querySelector('.action-bar button')).backgroundColor.match(/\d+/g) ?? [];
  return `#${parts.slice(0, 3).map((part) => Number(part).toString(16).padStart(2, '0')).join('')}`;
}

/** Says why nothing was paid, and lets the shopper try again. */
function failed(error) {
  alert.textContent = error?.description ?? data.unpaid;
  place.dispatchEvent(new Event('declined'));
  place.scrollIntoView({ block: 'nearest' });
}

const steps = {
  async check() {
    await load().catch(() => {
      delete data.on;
    });
    // A form that is being submitted ignores a second submission, until the event is over.
    await new Promise((go) => setTimeout(go));
    data.ready = '';
    form.requestSubmit();
    delete data.ready;
  },
  async confirm() {
    const { key, order_id, amount, currency, name, timeout, return_url } = data;
    const typed = new FormData(form);
    let reason;
    const open = new Razorpay({
      key,
      order_id,
      amount,
      currency,
      name,
      timeout: Number(timeout),
      prefill: { name: typed.get('name'), email: typed.get('email'), contact: typed.get('phone') },
      theme: { color: colour() },
      modal: { ondismiss: () => failed(reason) },
      // What it is told is signed; the market checks that, and asks Razorpay.
      handler: (paid) => location.assign(`${return_url}&${new URLSearchParams(paid)}`),
    });
    open.on('payment.failed', ({ error }) => {
      reason = error;
    });
    open.open();
  },
};

new MutationObserver(() => {
  const step = steps[data.step];
  if (!step) return;
  delete data.step;
  alert.textContent = '';
  step().catch(() => failed());
}).observe(place, { attributeFilter: ['data-step'] });

function begin() {
  data.on = '';
  document.getElementById(`payment_method-${data.method}-note`).textContent = data.note;
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
