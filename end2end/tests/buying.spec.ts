import { expect, test } from '../fixtures';
import {
  CARDS,
  payButton,
  SELLERS,
  SHOPS,
  type Bought,
  type ShopHandle,
  addOne,
  addressIsFilledIn,
  arriveAt,
  cartLink,
  beginCheckout,
  choose,
  field,
  fillAddress,
  freshEmail,
  fillCart,
  main,
  payByCard,
  payInCash,
  shopName,
  signIn,
  signUp,
  thanks,
  visit,
} from '../helpers';
import type { Page } from '../fixtures';

/** Each seller sees their own order of the purchase, with their own line, and nothing of the other's. */
async function sellersSeeTheirOwn(
  visitor: () => Promise<Page>,
  bought: Bought,
  products: Record<ShopHandle, string>,
  names: string[],
): Promise<void> {
  for (const [index, shop] of SHOPS.entries()) {
    const order = bought.orders.find((order) => order.shop === names[index])!;
    const others = bought.orders.filter((other) => other !== order);
    expect(order.text).toContain(products[shop]);

    const seller = await visitor();
    await signIn(seller, SELLERS[shop]);
    expect(await visit(seller, `/seller/${shop}/orders`)).toBe(200);
    for (const other of others) await expect(main(seller)).not.toContainText(other.number);
    await main(seller).getByRole('link', { name: order.number, exact: true }).click();
    await arriveAt(seller, `Order ${order.number}`);
    await expect(main(seller)).toContainText(products[shop]);
    for (const other of others) await expect(main(seller)).not.toContainText(other.number);
    for (const [handle, product] of Object.entries(products)) {
      if (handle !== shop) await expect(main(seller)).not.toContainText(product);
    }
    // The other shop's orders are not accessible.
    const foreign = SHOPS.find((handle) => handle !== shop);
    expect(await visit(seller, `/seller/${foreign}/orders`)).toBeGreaterThanOrEqual(400);
  }
}

test.describe('a guest buys from two shops in one purchase', () => {
  for (const way of ['a card that asks for a confirmation', 'cash on delivery'] as const) {
    test(`by ${way}`, async ({ page, visitor }) => {
      const names = [await shopName(page, SHOPS[0]), await shopName(page, SHOPS[1])];
      const products = await fillCart(page);
      await beginCheckout(page);
      await fillAddress(page);
      if (way === 'cash on delivery') await payInCash(page);
      else await payByCard(page, 'challenge');
      const bought = await thanks(page, names);
      expect(bought.orders.map((order) => order.number).sort()).toEqual([`${bought.number}-1`, `${bought.number}-2`]);
      // The items have left the basket, and the page can be opened again.
      await expect(cartLink(page, 0)).toBeVisible();
      expect(await visit(page, bought.path)).toBe(200);
      expect((await thanks(page, names)).orders).toHaveLength(2);
      await sellersSeeTheirOwn(visitor, bought, products, names);
    });
  }
});

test('a declined card leads back to the checkout, which keeps the input and accepts another card', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0]), await shopName(page, SHOPS[1])];
  await fillCart(page);
  const checkout = await beginCheckout(page);
  await fillAddress(page);
  await payByCard(page, 'decline');
  await arriveAt(page, 'Checkout');
  expect(new URL(page.url()).pathname).toBe(checkout);
  await expect(main(page)).toContainText(/declined and nothing was charged/);
  await addressIsFilledIn(page);
  await payByCard(page, 'approve');
  await thanks(page, names);
});

test('customers who have bought before see their address in a line, and can change it', async ({ page }) => {
  await signUp(page, freshEmail());
  const name = await shopName(page, SHOPS[0]);
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await expect(main(page).getByRole('radio', { name: 'Test card (no real money)' })).toBeChecked();
  await fillAddress(page);
  await payInCash(page);
  await thanks(page, [name]);

  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  const known = main(page).locator('summary', { hasText: 'Change' });
  await expect(known).toContainText('Asha Rao, 12 Lake Road, Pune 411001, Maharashtra, India');
  await expect(field(page, 'Town or city')).toBeHidden();
  await known.click();
  await field(page, 'Street address').fill('14 Lake Road');
  await payInCash(page);
  await thanks(page, [name]);
  await expect(main(page)).toContainText('14 Lake Road');
});

test.describe('one payment, however the gateway reports it', () => {
  const ways = { webhookLate: 'late', webhookTwice: 'twice', webhookNever: 'never' } as const;
  for (const [card, way] of Object.entries(ways) as [keyof typeof CARDS, string][]) {
    test(`the webhook comes ${way}`, async ({ page }) => {
      const name = await shopName(page, SHOPS[1]);
      await addOne(page, SHOPS[1], 1);
      await beginCheckout(page);
      await fillAddress(page);
      await payByCard(page, card);
      const bought = await thanks(page, [name]);
      expect(bought.orders).toHaveLength(1);
    });
  }
});

test('choosing another payment method after visiting the gateway charges once', async ({ page }) => {
  const name = await shopName(page, SHOPS[0]);
  await addOne(page, SHOPS[0], 1);
  const checkout = await beginCheckout(page);
  await fillAddress(page);
  await choose(page, 'card');
  await payButton(page).click();
  await arriveAt(page, 'Sandbox payment');
  await visit(page, checkout);
  await addressIsFilledIn(page);
  await payInCash(page);
  await thanks(page, [name]);
});
