// Three shops, a coupon of a shop and one of the market, a gift card and a card, paid in euros in a market of rupees and shipped to
// another country: every amount agrees, and a refund goes back to what paid.
import { expect, ownMarket, runsScripts, test as base } from '../fixtures';
import {
  addOne,
  awake,
  beginCheckout,
  button,
  cancelAndBeRefunded,
  choose,
  deliver,
  email,
  field,
  fillAddress,
  main,
  openProduct,
  operate,
  payAtSandbox,
  payButton,
  shopName,
  signIn,
  thanks,
  visit,
} from '../helpers';
import type { Locator } from '@playwright/test';
import type { Page } from '../fixtures';

const test = base.extend(ownMarket());
const SHOPS = ['meena-crafts', 'delta-electronics', 'kalyani-handlooms'] as const;
const OFFICE = { name: 'Rao GmbH', line1: 'Seestraße 1', city: 'Potsdam', postal_code: '14467' };
const CODE = 'Discount code or gift card';

type Amount = { amount: number };
type Read = { total: Amount; gift_cards: { amount: Amount }[]; orders: { total: Amount }[] };

const cents = (text: string): number => {
  const found = /([−-]?)€([\d,]+)\.(\d\d)/.exec(text);
  if (!found) throw new Error(`no amount in ${text}`);
  return (found[1] ? -1 : 1) * Number(found[2]!.replaceAll(',', '') + found[3]!);
};
const euros = (amount: number): string => `€${(amount / 100).toFixed(2)}`;

/** The amounts of a summary, by label. */
async function sums(part: Locator): Promise<Record<string, number>> {
  const rows = await part.locator('.sums > div').all();
  const read = rows.map(async (row) => [await row.locator('dt').innerText(), await row.locator('dd').innerText()] as const);
  return Object.fromEntries((await Promise.all(read)).map(([label, value]) => [label, value === 'Free' ? 0 : cents(value)]));
}

async function coupon(page: Page, path: string, code: string, percent: string): Promise<void> {
  await visit(page, `${path}?edit=new`);
  await field(page, 'Name').fill(`Sale ${code}`);
  await field(page, 'Code (optional)').fill(code);
  await field(page, 'Percentage').fill(percent);
  await button(page, 'Save').click();
  await expect(main(page).getByRole('alert')).toContainText('Promotion created.');
}

test('two coupons, a gift card and a card pay in euros for what goes abroad', async ({ market, page, visitor }) => {
  await market.restart({ HAAT__MARKET__CURRENCIES: 'EUR' });
  const [admin, seller] = [await visitor(), await visitor()];
  await Promise.all([operate(market, admin), signIn(seller, 'meena@haat.example')]);
  await visit(admin, '/admin/currencies');
  await field(admin, 'Exchange rate').fill('0.0098');
  await button(admin, 'Set rate').click();
  await expect(main(admin).getByRole('alert')).toContainText('Rate set.');
  await coupon(admin, '/admin/promotions', 'MARKET5', '5');
  await coupon(seller, `/seller/${SHOPS[0]}/promotions`, 'SHOP10', '10');
  await visit(admin, '/admin/gift-cards');
  await field(admin, 'Amount').fill('5');
  await field(admin, 'Currency').selectOption('EUR');
  await field(admin, 'Reason').fill('A late parcel');
  await button(admin, 'Issue a gift card').click();
  const card = (await admin.locator('#issued-code').textContent()) ?? '';

  await openProduct(page, SHOPS[0]);
  await page.getByRole('contentinfo').getByRole('button', { name: 'EUR' }).click();
  await expect(main(page).getByText(/€\d/).first()).toBeVisible();
  const names = [];
  for (const shop of SHOPS) names.push(await shopName(page, shop));
  for (const [at, shop] of SHOPS.entries()) await addOne(page, shop, at + 1);
  await visit(page, '/cart');
  for (const [code, name] of [['SHOP10', 'Sale SHOP10 (Shop10)'], ['MARKET5', 'Sale MARKET5 (Market5)']] as const) {
    await awake(page);
    await field(page, 'Discount code').fill(code);
    await button(page, 'Apply').click();
    await expect(main(page)).toContainText(new RegExp(name.replace(/[()]/g, '\\$&'), 'i'));
  }
  await beginCheckout(page);
  await fillAddress(page, {});
  await field(page, 'Country').selectOption({ label: 'Germany' });
  if (!runsScripts(page)) await button(page, 'Update').first().click();
  await expect(field(page, 'Postal code')).toBeVisible();
  await awake(page);
  await field(page, 'Postal code').fill('10115');
  // The company that pays is elsewhere.
  await main(page).locator('summary', { hasText: 'Invoice details' }).click();
  await field(page, 'Use a different billing address').check();
  if (!runsScripts(page)) await button(page, 'Update').first().click();
  const bill = (part: string) => page.locator(`[id="billing.${part}"]`);
  await expect(bill('line1')).toBeVisible();
  await awake(page);
  await bill('country').selectOption({ label: 'Germany' });
  for (const [part, text] of Object.entries(OFFICE)) await bill(part).fill(text);
  await field(page, CODE).fill(card);
  await button(page, 'Apply').click();
  const summary = main(page).locator('.summary').last();
  await expect(summary).toContainText('To pay');
  await awake(page);
  const all = await sums(summary);
  const gift = `Gift card ···· ${card.slice(-4)}`;
  const discounts = Object.entries(all).filter(([label]) => label.startsWith('Sale '));
  expect(discounts).toHaveLength(2);
  const total = all['Total']!;
  expect(all['Subtotal']! + discounts.reduce((sum, [, amount]) => sum + amount, 0) + all['Shipping']!).toBe(total);
  expect([all[gift], all['To pay']]).toEqual([-500, total - 500]);
  await choose(page, 'card');
  expect(cents(await payButton(page).innerText())).toBe(total - 500);
  await payButton(page).click();
  expect(cents(await page.getByRole('button', { name: /^Pay/ }).first().innerText())).toBe(total - 500);
  await payAtSandbox(page, 'approve');
  const { number, orders } = await thanks(page, names);

  // The confirmation on the page, by email and over the API, the shops' orders, and an invoice.
  const bought = page.url();
  await expect(main(page)).toContainText(`${gift} €5.00`);
  await expect(main(page)).toContainText('14467 Potsdam');
  const totals = [];
  for (const order of orders) {
    const section = main(page).locator('section.order').filter({ hasText: order.number });
    const part = await sums(section);
    totals.push(part['Total']!);
    await expect(section).toContainText('Includes VAT');
  }
  expect(totals.reduce((sum, one) => sum + one, 0)).toBe(total);
  const confirmation = await email(page, `Thank you for your order ${number}`);
  for (const one of [total, total - 500, ...totals]) expect(confirmation).toContain(euros(one));
  for (const one of ['14467 Potsdam', ...discounts.map(([label]) => label)]) expect(confirmation).toContain(one);
  const api = new URL(`/api/v1/purchases/${number}${new URL(bought).search}`, bought);
  const read = (await (await page.request.get(api.href)).json()) as Read;
  expect([read.total, read.gift_cards[0]!.amount].map((money) => money.amount)).toEqual([total, 500]);
  expect(read.orders.map((order) => order.total.amount)).toEqual(totals);
  await deliver(seller, SHOPS[0], orders[0]!.number);
  await page.reload();
  const paper = await main(page).locator('.invoices li a').first().getAttribute('href');
  const invoice = await (await page.request.get(new URL(paper!, bought).href)).text();
  for (const one of [euros(totals[0]!), 'Rao GmbH', '14467 Potsdam', 'Sale SHOP10']) expect(invoice).toContain(one);
  await visit(seller, `/seller/${SHOPS[0]}/orders/${orders[0]!.number}`);
  expect((await sums(main(seller).locator('section.order')))['Total']).toBe(totals[0]);
  await visit(admin, '/admin/payments');
  await expect(main(admin).locator('tbody tr').filter({ hasText: euros(total - 500) })).toHaveCount(1);
  await expect(main(admin).locator('tbody tr').filter({ hasText: '€5.00' })).toHaveCount(1);

  // A part of an order is refunded: to the gift card first. The shop gets back the commission on it, and gives back its part of
  // the discount that the market bore.
  const part = async (label: string): Promise<number> => {
    const row = main(seller).locator('.refund-effects > div').filter({ hasText: label });
    return cents(await row.locator('dd').innerText());
  };
  await main(seller).locator('summary', { hasText: 'Refund items' }).click();
  const left = cents(await main(seller).locator('.refund-summary .sums dd').first().innerText());
  expect(left).toBe(totals[0]);
  await main(seller).getByLabel(/^Shipping \(/).check();
  await field(seller, 'Reason for refund').fill('It was late');
  if (!runsScripts(seller)) await button(seller, 'Review refund').click();
  await expect(button(seller, /^Refund €/)).toBeVisible();
  await awake(seller);
  const shipping = await part('Refund total');
  expect(shipping).toBeGreaterThan(0);
  expect(shipping).toBeLessThan(500);
  await button(seller, /^Refund €/).click();
  await expect(main(seller)).toContainText('Refund issued.');
  const order = (number: string) => main(page).locator('section.order').filter({ hasText: number });
  const told = async (number: string, words: string) =>
    expect(async () => {
      await visit(page, new URL(bought).pathname + new URL(bought).search);
      await expect(order(number)).toContainText(words, { timeout: 100 });
    }).toPass();
  await told(orders[0]!.number, `We’ve added ${euros(shipping)} back to your gift card balance.`);
  expect(await email(page, `Refund of ${euros(shipping)} for your order`)).toContain('gift card balance');

  // Then the one item that is left of it: the rest of the gift card, and the card.
  await visit(seller, `/seller/${SHOPS[0]}/orders/${orders[0]!.number}`);
  await main(seller).locator('summary', { hasText: 'Refund items' }).click();
  await awake(seller);
  await main(seller).locator('.refund .quantities input').first().fill('1');
  await field(seller, 'Reason for refund').fill('And broken');
  if (!runsScripts(seller)) await button(seller, 'Review refund').click();
  await expect(button(seller, /^Refund €/)).toBeVisible();
  await awake(seller);
  const item = await part('Refund total');
  expect(item).toBe(totals[0]! - shipping);
  const [commission, reversed, earnings] = [
    await part('Commission returned'),
    await part('Marketplace discount reversed'),
    await part('Change in shop’s earnings'),
  ];
  expect(item - commission + reversed).toBe(-earnings);
  await button(seller, /^Refund €/).click();
  await expect(main(seller)).toContainText('Refund issued.');
  const rest = item - (500 - shipping);
  const back = `We’ve added €5.00 back to your gift card balance and refunded ${euros(rest)} to your original payment method.`;
  await told(orders[0]!.number, back);
  await visit(page, '/gift-card');
  await field(page, 'Gift card code').fill(card);
  await button(page, 'Show balance').click();
  await expect(main(page).locator('.price.big')).toHaveText('€5.00');

  // Another order is cancelled: all of it goes back to the card.
  await page.goto(bought);
  await cancelAndBeRefunded(page, orders[1]!.number);
  await visit(admin, '/admin/payments');
  await main(admin).locator('tbody tr').filter({ hasText: euros(total - 500) }).locator('a').first().click();
  const refunded = rest + totals[1]!;
  await expect(main(admin)).toContainText(euros(refunded));
  await market.run('ledger', 'verify');
});
