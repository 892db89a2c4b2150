// One purchase from three shops, of which one takes a part back and another one is paid out: every amount on the pages, in the emails,
// on the invoices and in the statements agrees.
import { expect, ownMarket, test as base } from '../fixtures';
import {
  ADDRESS,
  addOne,
  awake,
  beginCheckout,
  button,
  choose,
  deliver,
  email,
  field,
  fillAddress,
  main,
  operate,
  payAtSandbox,
  payButton,
  setQuantity,
  shopName,
  signIn,
  thanks,
  visit,
} from '../helpers';
import type { Locator } from '@playwright/test';
import type { Page } from '../fixtures';

const test = base.extend(ownMarket());
const SHOPS = ['meena-crafts', 'delta-electronics', 'malabar-pantry'] as const;
const [RETURNS, PAID_OUT] = SHOPS;

/** All amounts in a text, in paise; what is deducted is negative. */
const amounts = (text: string): number[] =>
  [...text.matchAll(/([−-]?)₹([\d,]+)\.(\d\d)/g)].map(([, sign, units, cents]) => (sign ? -1 : 1) * Number(units!.replaceAll(',', '') + cents));
const amount = (text: string): number => {
  const [first] = amounts(text);
  if (first === undefined) throw new Error(`no amount in ${text}`);
  return first;
};
const sum = (all: number[]): number => all.reduce((total, one) => total + one, 0);
const rupees = new Intl.NumberFormat('en-IN', { minimumFractionDigits: 2 });
const shown = (paise: number): string => `${paise < 0 ? '−' : ''}₹${rupees.format(Math.abs(paise) / 100)}`;

/** The sums of a part of a page, by label. */
async function sums(part: Locator): Promise<Record<string, number>> {
  const rows = await part.locator('.sums > div').all();
  const read = rows.map(async (row) => [await row.locator('dt').innerText(), await row.locator('dd').innerText()] as const);
  return Object.fromEntries((await Promise.all(read)).map(([label, value]) => [label, value === 'Free' ? 0 : amount(value)]));
}

/** What adds up adds up. */
function adds({ Subtotal, Discount = 0, Shipping, Total }: Record<string, number>): number {
  expect(Subtotal! + Discount + Shipping!).toBe(Total);
  return Total!;
}

/** A statement as the shop downloads it: the transactions of an order, and the balance after all of them. */
async function statement(seller: Page, shop: string): Promise<{ entries: { kind: string; order: string; amount: number }[]; balance: number }> {
  const csv = await (await seller.request.get(new URL(`/seller/${shop}/balance.csv`, seller.url()).href)).text();
  const [, ...rows] = csv.trim().split(/\r?\n/).map((row) => row.split(','));
  const paise = (plain: string) => Math.round(Number(plain) * 100);
  const entries = rows.map(([, , kind, order, , change]) => ({ kind: kind!, order: order!, amount: paise(change!) }));
  const balance = paise(rows.at(-1)![6]!);
  expect(sum(entries.map((entry) => entry.amount))).toBe(balance);
  return { entries, balance };
}

/** Available, pending and in transit, as the shop sees them. */
async function balances(seller: Page, shop: string): Promise<number[]> {
  await visit(seller, `/seller/${shop}/balance`);
  return (await main(seller).locator('dd.figure').allInnerTexts()).map(amount);
}

test('all amounts of a purchase, a partial return and a payout agree', async ({ page, visitor, market }) => {
  const [maker, trader, operator] = [await visitor(), await visitor(), await visitor()];
  await market.restart({ HAAT__PAYOUTS__HOLD_HOURS: '0', HAAT__PAYOUTS__MINIMUM: '20' });
  await Promise.all([
    signIn(maker, 'meena@haat.example'),
    signIn(trader, 'delta@haat.example').then(async () => {
      // Without a return period, earnings are available soon after the delivery.
      await visit(trader, `/seller/${PAID_OUT}/settings`);
      await field(trader, 'Return window (days)').fill('0');
      await button(trader, 'Save').click();
      await expect(main(trader).getByRole('alert').first()).toContainText('Saved.');
    }),
    operate(market, operator),
  ]);

  // The basket, the checkout, the gateway and the confirmation.
  const names = [];
  for (const shop of SHOPS) names.push(await shopName(page, shop));
  const product = await addOne(page, RETURNS, 1);
  await addOne(page, PAID_OUT, 2);
  await addOne(page, SHOPS[2], 3);
  await visit(page, '/cart');
  await setQuantity(page, product, '2');
  await expect(page.getByRole('banner').getByRole('link', { name: 'Basket, 4 items' })).toBeVisible();
  await beginCheckout(page);
  const total = adds(await sums(main(page).locator('.summary')));
  await fillAddress(page);
  await choose(page, 'card');
  expect(amount(await payButton(page).innerText())).toBe(total);
  await payButton(page).click();
  expect(amount(await page.getByRole('button', { name: /^Pay/ }).first().innerText())).toBe(total);
  await payAtSandbox(page, 'approve');
  const { number, orders } = await thanks(page, names);
  const purchase = new URL(page.url());
  const section = (order: string) => main(page).locator('section.order').filter({ hasText: order });
  const totals = [];
  for (const order of orders) totals.push(adds(await sums(section(order.number))));
  expect(sum(totals)).toBe(total);

  // The emails to the customer and to each shop.
  const confirmation = await email(page, `Thank you for your order ${number}`);
  expect(confirmation).toContain(ADDRESS['Full name']!);
  for (const one of [total, ...totals]) expect(amounts(confirmation)).toContain(one);
  for (const [i, order] of orders.entries()) await email(page, `New order ${order.number}: ${shown(totals[i]!)}`);

  // The payment, as admins see it.
  await visit(operator, '/admin/payments');
  await expect(main(operator).locator('tbody tr').first()).toContainText(shown(total));

  // Two shops deliver.
  const [returned, paidOut] = [orders[0]!.number, orders[1]!.number];
  await Promise.all([deliver(maker, RETURNS, returned), deliver(trader, PAID_OUT, paidOut)]);
  for (const [seller, at] of [[maker, 0], [trader, 1]] as const) {
    expect(adds(await sums(main(seller).locator('section.order')))).toBe(totals[at]);
  }

  // The shop's earnings: what the customer paid less the commission, on the page and in the statement.
  const earned = await statement(maker, RETURNS);
  expect(earned.entries.every((entry) => entry.order === returned)).toBe(true);
  expect(earned.entries.filter((entry) => entry.amount > 0).map((entry) => entry.amount)).toEqual([totals[0]]);
  expect(sum(await balances(maker, RETURNS))).toBe(earned.balance);

  // One of two items goes back.
  await page.goto(purchase.href);
  await awake(page);
  await section(returned).locator('summary', { hasText: 'Return items or report a problem' }).click();
  await section(returned).getByLabel(`${product}`, { exact: false }).first().fill('1');
  await section(returned).getByLabel('Reason', { exact: true }).selectOption({ label: 'Damaged or doesn’t work' });
  await button(page, 'Send request').click();
  await expect(main(page)).toContainText('Request sent.');
  await visit(maker, `/seller/${RETURNS}/orders/${returned}`);
  const effect = async (label: string) =>
    amount(await main(maker).locator('.refund-effects > div').filter({ hasText: label }).first().locator('dd').innerText());
  const [refund, less] = [await effect('Refund total'), await effect('Change in shop’s earnings')];
  expect(refund).toBeLessThan(totals[0]!);
  await button(maker, 'Approve return').click();
  await expect(main(maker)).toContainText('Return approved.');
  await awake(maker);
  await button(maker, `Mark as received and refund ${shown(refund)}`).click();
  await expect(main(maker)).toContainText('Refund issued.');
  const left = await statement(maker, RETURNS);
  expect(earned.balance - left.balance).toBe(Math.abs(less));
  expect(left.entries.map((entry) => entry.amount)).toContain(-refund);
  expect(sum(await balances(maker, RETURNS))).toBe(left.balance);
  await visit(maker, `/seller/${RETURNS}/orders/${returned}`);
  await page.goto(purchase.href);
  for (const part of [main(maker).locator('section.order'), section(returned)]) {
    const { Total, Refunded, Net } = await sums(part);
    expect([Total, Refunded, Net]).toEqual([totals[0], -refund, totals[0]! - refund]);
  }
  expect(amounts(await email(page, returned))).toContain(refund);

  // The invoice and the credit note.
  const invoices = section(returned).locator('.invoices li a:first-child');
  await expect(async () => {
    await page.goto(purchase.href);
    await expect(invoices).toHaveCount(2, { timeout: 100 });
  }).toPass();
  const totalsOf = [];
  for (const link of await invoices.all()) {
    const paper = await (await page.request.get(new URL((await link.getAttribute('href'))!, page.url()).href)).text();
    totalsOf.push(Math.abs(amount(/<tr class="sum">.*?<\/tr>/s.exec(paper)![0])));
  }
  expect(totalsOf.sort()).toEqual([totals[0], refund].sort());

  // All that the other shop has earned is paid out.
  const before = await statement(trader, PAID_OUT);
  await expect(async () => {
    expect((await balances(trader, PAID_OUT))[0]).toBe(before.balance);
  }).toPass();
  await main(trader).locator('summary', { hasText: 'Add payout method' }).click();
  await field(trader, 'Account holder').fill('Dev Anand');
  await field(trader, 'IBAN or account number').fill('012345678901');
  await field(trader, 'IFSC').fill('HDFC0001234');
  await button(trader, 'Add payout method').click();
  await expect(main(trader).getByRole('alert')).toContainText('Payout method added.');
  await awake(trader);
  await field(trader, 'Amount (INR)').fill(shown(before.balance));
  await button(trader, 'Request payout').click();
  await expect(main(trader).getByRole('alert')).toContainText(`Payout of ${shown(before.balance)}`);
  expect(await balances(trader, PAID_OUT)).toEqual([0, 0, before.balance]);
  await visit(operator, '/admin/payouts');
  await main(operator).locator('tbody .row-link').first().click();
  const steps = [['Approve payout', 'Approve'], ['Mark as sent', 'Mark'], ['Mark as paid', 'Mark']] as const;
  for (const [step, verb] of steps) {
    await main(operator).locator('summary', { hasText: step }).click();
    if (step === 'Mark as sent') await field(operator, 'Bank reference').fill('UTR-1');
    await main(operator).getByRole('button', { name: `${verb} ${shown(before.balance)}` }).click();
    await expect(main(operator).getByRole('alert')).toContainText(shown(before.balance));
    await awake(operator);
  }
  expect(amounts(await email(page, 'Your payout is on its way'))).toContain(before.balance);
  const after = await statement(trader, PAID_OUT);
  expect([after.balance, after.entries.at(-1)!.amount]).toEqual([0, -before.balance]);
  expect(await balances(trader, PAID_OUT)).toEqual([0, 0, 0]);

  // The payment, once more.
  await visit(operator, '/admin/payments');
  await main(operator).locator('tbody .row-link').first().click();
  await expect(main(operator).getByRole('link', { name: 'All payments' })).toBeVisible();
  await expect(main(operator)).toContainText(shown(total));
  await expect(main(operator)).toContainText(shown(refund));
  for (const each of [page, maker, trader, operator]) await each.goto('about:blank');
});
