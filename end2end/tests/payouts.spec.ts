// A seller withdraws earnings, an admin pays them out, and the seller sees what became of them, with and without JavaScript: to a
// bank account, and to an account at the fake of Stripe (server/fakes).
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, ownMarket, test as base } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  audit,
  awake,
  beginCheckout,
  button,
  field,
  fillAddress,
  main,
  operate,
  payByCard,
  refused,
  shopName,
  signIn,
  thanks,
  visit,
} from '../helpers';
import { built, freePort } from '../server';

const test = base.extend(ownMarket());
const SHOP = SHOPS[0];
const BALANCE = `/seller/${SHOP}/balance`;
let stripe: ChildProcess | undefined;
test.afterEach(() => stripe?.kill());

const BANK = { name: 'Haat', account: 'DE89370400440532013000' };

test('payouts go from the request to the bank or to Stripe, and come back', async ({ page, visitor, market }) => {
  const [seller, operator] = [await visitor(), await visitor()];
  const port = await freePort();
  stripe = spawn(built('haat-fakes'), ['stripe', String(port), `${market.url}/webhooks/stripe`]);
  await once(stripe, 'spawn');
  await market.restart({
    HAAT__PAYMENTS__STRIPE_SECRET_KEY: 'sk_test_fake',
    HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS: 'whsec_fake',
    HAAT__PAYMENTS__STRIPE_URL: `http://127.0.0.1:${port}`,
    HAAT__PAYMENTS__STRIPE_CONNECT: 'true',
    HAAT__PAYOUTS__HOLD_HOURS: '0',
    // Less than any product costs: which one is bought depends on what is still in stock.
    HAAT__PAYOUTS__MINIMUM: '5',
    HAAT__PAYOUTS__PAYER_NAME: BANK.name,
    HAAT__PAYOUTS__PAYER_ACCOUNT: BANK.account,
  });
  // Without a return period, earnings are available soon after the delivery.
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, `/seller/${SHOP}/settings`);
  await field(seller, 'Return window (days)').fill('0');
  await button(seller, 'Save').click();
  await expect(main(seller).getByRole('alert').first()).toContainText('Saved.');
  await visit(seller, BALANCE);
  await expect(main(seller)).toContainText('You can request a payout once at least ₹5.00 is available.');

  const shop = await shopName(page, SHOP);
  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payByCard(page, 'approve');
  const order = (await thanks(page, [shop])).orders[0]!.number;
  await visit(seller, `/seller/${SHOP}/orders/${order}`);
  await button(seller, 'Confirm order').click();
  await expect(button(seller, 'Mark as shipped')).toBeVisible();
  await awake(seller);
  await field(seller, 'Carrier').fill('Blue Dart');
  await field(seller, 'Tracking number').fill('BD-77');
  await button(seller, 'Mark as shipped').click();
  await expect(button(seller, 'Mark as delivered')).toBeVisible();
  await awake(seller);
  await button(seller, 'Mark as delivered').click();
  await expect(main(seller)).toContainText('The order has been delivered.');
  // A schedule releases earnings every few seconds.
  await expect(async () => {
    await visit(seller, BALANCE);
    await expect(main(seller)).toContainText('Add a payout method below to request a payout.', { timeout: 100 });
  }).toPass();

  await main(seller).locator('summary', { hasText: 'Add payout method' }).click();
  await field(seller, 'Account holder').fill('Meena Iyer');
  await field(seller, 'IBAN or account number').fill('0123 4567 8901');
  await field(seller, 'IFSC').fill('HDFC1');
  await button(seller, 'Add payout method').click();
  await refused(field(seller, 'IFSC'));
  await awake(seller);
  await expect(field(seller, 'IBAN or account number')).toHaveValue('0123 4567 8901');
  await field(seller, 'IFSC').fill('hdfc0001234');
  await button(seller, 'Add payout method').click();
  await expect(main(seller).getByRole('alert')).toContainText('Payout method added.');
  await awake(seller);
  await expect(main(seller)).toContainText('•••• 8901 · HDFC0001234');
  await expect(main(seller)).not.toContainText('0123 4567 8901');

  const amount = field(seller, 'Amount (INR)');
  await amount.fill('99999999');
  await button(seller, 'Request payout').click();
  await refused(amount);
  await awake(seller);
  const history = main(seller).getByRole('table', { name: 'Payouts' }).locator('tbody tr');
  const withdraw = async () => {
    await amount.fill('₹20');
    await button(seller, 'Request payout').click();
    await expect(main(seller).getByRole('alert')).toContainText(/Payout of ₹20.00 to .* requested/);
    await awake(seller);
    await expect(history.first()).toContainText('₹20.00');
    await expect(history.first()).toContainText('Requested');
  };
  await withdraw();

  await operate(market, operator);
  const open = async () => {
    await visit(operator, '/admin/payouts');
    await main(operator).locator('tbody .row-link').first().click();
    await arriveAt(operator, /^Payout P-\d{6}$/);
  };
  // Each step says what it will do before it is taken, and what it did afterwards.
  const ask = (name: string) => main(operator).locator('summary', { hasText: name }).click();
  const step = async (name: string, said: string, state: string) => {
    await button(operator, name).click();
    await expect(main(operator).getByRole('alert')).toContainText(said);
    await expect(main(operator).getByRole('alert')).toContainText(shop);
    await awake(operator);
    await expect(main(operator).locator('.order-head .state')).toHaveText(state);
  };
  const approve = async () => {
    await open();
    await ask('Approve payout');
    await expect(main(operator)).toContainText(`You’re approving a payout of ₹20.00 to ${shop}.`);
    await step('Approve ₹20.00', 'approved: ₹20.00', 'Approved');
  };
  const send = async () => {
    await ask('Mark as sent');
    await field(operator, 'Bank reference').fill('UTR-1');
    await step('Mark ₹20.00 as sent', 'marked as sent: ₹20.00', 'Sent');
  };
  await approve();
  await visit(operator, '/admin/payouts?state=approved');
  const files = ['Download approved as CSV', 'Download bank file (ISO 20022)'].map((link) =>
    main(operator).getByRole('link', { name: link }).getAttribute('href'),
  );
  for (const file of files) {
    const answer = await operator.request.get(new URL((await file)!, operator.url()).href);
    expect(answer.status()).toBe(200);
    const text = await answer.text();
    expect(text).toContain('012345678901');
    expect(text).toContain('20.00');
  }
  await open();
  await send();
  await visit(seller, BALANCE);
  await expect(history.first()).toContainText('Sent');
  await expect(history.first()).toContainText('UTR-1');
  await ask('Mark as returned');
  await button(operator, 'Mark ₹20.00 as returned').click();
  await refused(field(operator, 'Reason'));
  await awake(operator);
  await field(operator, 'Reason').fill('The account is closed');
  await step('Mark ₹20.00 as returned', '₹20.00 is available', 'Returned');
  await visit(seller, BALANCE);
  await expect(history.first()).toContainText('The account is closed');
  await withdraw();
  await approve();
  await send();
  await ask('Mark as paid');
  await step('Mark ₹20.00 as paid', 'marked as paid: ₹20.00', 'Paid');
  // Seller and operator tell each other the number.
  const number = (await history.first().locator('th .whole').textContent())!;
  await visit(operator, `/admin/payouts?q=${number}`);
  await expect(main(operator).locator('tbody tr')).toHaveCount(1);
  await visit(operator, '/admin/audit');
  await main(operator).getByRole('link', { name: number, exact: true }).first().click();
  await arriveAt(operator, `Payout ${number}`);
  await visit(seller, BALANCE);
  await expect(history).toHaveCount(2);
  await expect(history.first()).toContainText('Paid');

  // Stripe: details are entered on its page, now or later.
  await main(seller).locator('summary', { hasText: 'Add payout method' }).click();
  await main(seller).locator('input[name=kind][value=stripe]').check();
  await expect(field(seller, 'Account holder')).toBeHidden();
  await button(seller, 'Add payout method').click();
  const atStripe = async (answer: string) => {
    await expect(seller.getByRole('heading', { level: 1, name: 'Get paid by Haat' })).toBeVisible();
    await seller.getByRole('button', { name: answer }).click();
  };
  await atStripe('Save for later');
  await expect(main(seller).getByRole('alert')).toContainText('Your Stripe account isn’t ready for payouts yet.');
  await awake(seller);
  await expect(main(seller)).toContainText('Not set up yet.');
  await audit(seller);
  await button(seller, 'Continue with Stripe').click();
  await atStripe('Complete');
  await expect(main(seller).getByRole('alert')).toContainText('Stripe is connected.');
  await awake(seller);
  await amount.fill('5');
  await main(seller).getByRole('radio', { name: 'Stripe acct_' }).check();
  await button(seller, 'Request payout').click();
  await expect(main(seller).getByRole('alert')).toContainText('Payout of ₹5.00 to Stripe acct_');
  await open();
  await ask('Approve payout');
  await expect(main(operator)).toContainText('Stripe transfers the money to Stripe acct_');
  await button(operator, 'Approve ₹5.00').click();
  await expect(main(operator).getByRole('alert')).toContainText('Stripe is transferring it.');
  await expect(async () => {
    await open();
    await expect(main(operator).locator('.order-head .state')).toHaveText('Paid', { timeout: 100 });
  }).toPass();
  await expect(main(operator)).toContainText('Transfer at Stripe');
  await audit(operator);
  await visit(seller, BALANCE);
  await expect(history.first()).toContainText('tr_');
  await ask('Reverse transfer');
  await field(operator, 'Reason').fill('Sold twice');
  await step('Reverse ₹5.00', 'reversed: ₹5.00 is available', 'Returned');
  await visit(seller, BALANCE);
  await expect(history.first()).toContainText('Sold twice');
  for (const each of [page, seller, operator]) await each.goto('about:blank');
});
