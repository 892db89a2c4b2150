// The product form, which needs JavaScript.
import { fileURLToPath } from 'node:url';

import { type Page, expect, test } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  arriveAt,
  awake,
  cartLink,
  beginCheckout,
  button,
  field,
  fillAddress,
  main,
  payByCard,
  signIn,
  thanks,
  visit,
} from '../helpers';
import { png } from '../pictures';

const SHOP = SHOPS[0];
const products = `/seller/${SHOP}/products`;

/** Waits until the form has `count` pictures. */
const pictures = (page: Page, count: number) =>
  expect(main(page).getByRole('button', { name: 'Remove image' })).toHaveCount(count);

/** By position, because the single variant of a product without options has no heading. */
const variant = (page: Page, n: number) => main(page).locator('fieldset.variant').nth(n - 1);

async function newDraft(page: Page, title: string): Promise<void> {
  await visit(page, `${products}/new`);
  await field(page, 'Title').fill(title);
  await variant(page, 1).getByLabel('Price (INR)', { exact: true }).fill('450');
  await variant(page, 1).getByLabel('Stock', { exact: true }).fill('5');
  await button(page, 'Save as draft').click();
  await arriveAt(page, title);
}

// Listing takes 5 clicks (pictures, two options, the picture of the dialog, publish), 8 fields and 2 × Enter: title, description,
// price, stock, and a name and values for each option. Typed at a normal pace this is well below two minutes.
test('a product with four variants and three pictures is listed, bought, sent; another order is cancelled', async ({
  page,
  visitor,
}) => {
  const seller = page;
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, '/');
  // By client-side navigation, which loads the dashboard's chunk now.
  await seller.getByRole('banner').getByRole('link', { name: /^Manage/ }).click();
  await arriveAt(seller, 'Dashboard');
  await seller.getByRole('navigation', { name: 'Seller dashboard' }).getByRole('link', { name: 'Products' }).click();
  await arriveAt(seller, 'Products');
  await main(seller).getByRole('link', { name: 'Add product' }).first().click();
  await arriveAt(seller, 'New product');
  await field(seller, 'Title').fill('Lake bowl');
  await field(seller, 'Description').fill('Thrown by hand.\n\n</textarea><script>alert(1)</script>');
  await field(seller, 'Add images').setInputFiles([
    png('red.png', [180, 40, 30]),
    png('green.png', [40, 120, 60]),
    png('blue.png', [40, 60, 150]),
  ]);
  await pictures(seller, 3);
  await variant(seller, 1).getByLabel('Price (INR)', { exact: true }).fill('1,249.50');
  await variant(seller, 1).getByLabel('Stock', { exact: true }).fill('7');
  for (const [n, [name, values]] of [['Colour', 'Red, Blue'], ['Size', 'Small, Large']].entries()) {
    await button(seller, 'Add option').click();
    await main(seller).getByLabel('Option name').nth(n).fill(name!);
    const value = main(seller).getByLabel('Option values', { exact: true }).nth(n);
    await value.fill(values!);
    await value.press('Enter');
  }
  await expect(main(seller).getByRole('group', { name: /^Variant \d$/ })).toHaveCount(4);
  await expect(variant(seller, 4).getByLabel('Price (INR)', { exact: true })).toHaveValue('1,249.50');
  await button(seller, 'Save and publish').click();
  await arriveAt(seller, 'Lake bowl');
  await expect(seller.getByRole('status').filter({ hasText: 'Published. Customers can buy it now.' })).toBeVisible();
  await pictures(seller, 3);
  await expect(field(seller, 'Description')).toHaveValue('Thrown by hand.\n\n</textarea><script>alert(1)</script>');
  const shown = await main(seller).getByRole('link', { name: 'View product page' }).getAttribute('href');
  const editor = new URL(seller.url()).pathname;

  const orders: string[] = [];
  const purchases: string[] = [];
  const shopper = await visitor();
  for (let n = 0; n < 2; n += 1) {
    expect(await visit(shopper, shown!)).toBe(200);
    await button(shopper, 'Add to basket').click();
    await expect(cartLink(shopper, 1)).toBeVisible();
    await beginCheckout(shopper);
    await fillAddress(shopper);
    await payByCard(shopper, 'approve');
    const bought = await thanks(shopper, ['Meena']);
    orders.push(bought.orders[0]!.number);
    purchases.push(new URL(shopper.url()).pathname + new URL(shopper.url()).search);
  }
  await visit(seller, editor);
  await expect(variant(seller, 1).getByLabel('Stock', { exact: true })).toHaveValue('5');

  await visit(seller, `/seller/${SHOP}/orders/${orders[0]}`);
  await button(seller, 'Confirm order').click();
  await expect(button(seller, 'Mark as shipped')).toBeVisible();
  await awake(seller);
  await field(seller, 'Carrier').fill('India Post');
  await field(seller, 'Tracking number').fill('EE1');
  await button(seller, 'Mark as shipped').click();
  await expect(button(seller, 'Mark as delivered')).toBeVisible();
  await visit(shopper, purchases[0]!);
  await expect(main(shopper)).toContainText('Your order is on its way.');

  await visit(seller, `/seller/${SHOP}/orders/${orders[1]}`);
  await main(seller).locator('summary', { hasText: 'Cancel order' }).click();
  await field(seller, 'Reason').fill('Broken in the kiln');
  await button(seller, 'Cancel order').click();
  await expect(main(seller)).toContainText('This order was cancelled');
  await visit(seller, editor);
  await expect(variant(seller, 1).getByLabel('Stock', { exact: true })).toHaveValue('6');
  await visit(shopper, purchases[1]!);
  await expect(main(shopper)).toContainText('This order has been cancelled.');
});

test('incomplete and invalid images are rejected at the field', async ({ page, problems }) => {
  problems.allow(/422/);
  await signIn(page, SELLERS[SHOP]);
  const listed = await page.request.get(`/shops/${SHOP}`);
  const jpeg = (await listed.text()).match(/\/media\/[\w-]+\.jpg/)?.[0] ?? '';
  const whole = await (await page.request.get(jpeg)).body();
  await visit(page, `${products}/new`);
  await field(page, 'Add images').setInputFiles([
    { name: 'holiday.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('\x7fELF\x02\x01\x01 program') },
    { name: 'logo.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') },
    { name: 'half.jpg', mimeType: 'image/jpeg', buffer: whole.subarray(0, whole.length / 2) },
    png('huge.png', [90, 90, 90], 10, 50_000),
    png('good.png', [90, 90, 90]),
  ]);
  await pictures(page, 1);
  const faults = main(page).locator('#pictures-error');
  await expect(faults).toContainText('holiday.jpg: We can’t use this file.');
  await expect(faults).toContainText('logo.svg: We can’t use this file.');
  await expect(faults).toContainText('half.jpg: This image is damaged or didn’t upload completely.');
  await expect(faults).toContainText('huge.png: This image is larger than 40 megapixels or 16,000 pixels on one side.');
});

test('saving a product in two tabs shows the second what changed', async ({ page, context, problems }) => {
  problems.allow(/409/);
  await signIn(page, SELLERS[SHOP]);
  await newDraft(page, 'Water jug');
  const other = await context.newPage();
  await visit(other, new URL(page.url()).pathname);
  await field(page, 'Title').fill('Water pitcher');
  await button(page, 'Save').click();
  await arriveAt(page, 'Water pitcher');
  await field(other, 'Description').fill('Mine');
  await button(other, 'Save').click();
  await expect(main(other).getByRole('alert')).toContainText('while you were editing: Title.');
  await expect(field(other, 'Description')).toHaveValue('Mine');
  await expect(field(other, 'Title')).toHaveValue('Water jug');
  await button(other, 'Save').click();
  await arriveAt(other, 'Water jug');
  await expect(field(other, 'Description')).toHaveValue('Mine');
});

test('errors are shown at their fields after rows were added and removed', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `${products}/new`);
  await button(page, 'Add variant').click();
  await button(page, 'Add variant').click();
  await button(page, 'More fields for variant 1').click();
  await button(page, 'Remove variant 1').click();
  await field(page, 'Title').fill('Jug');
  for (const [n, name] of [[1, 'Small'], [2, 'Large']] as const) {
    await variant(page, n).getByLabel('Variant name').fill(name);
    await variant(page, n).getByLabel('Stock', { exact: true }).fill('1');
  }
  await variant(page, 1).getByLabel('Price (INR)', { exact: true }).fill('450');
  await variant(page, 2).getByLabel('Price (INR)', { exact: true }).fill('cheap');
  await button(page, 'Save as draft').click();
  const price = variant(page, 2).getByLabel('Price (INR)', { exact: true });
  await expect(price).toHaveAttribute('aria-invalid', 'true');
  await expect(variant(page, 1).getByLabel('Price (INR)', { exact: true })).not.toHaveAttribute('aria-invalid', 'true');
  await main(page).getByRole('alert').getByRole('link', { name: 'Variant 2: Price' }).click();
  await expect(price).toBeFocused();
});

test('the form shows how it understood a price', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `${products}/new`);
  const price = variant(page, 1).getByLabel('Price (INR)', { exact: true });
  for (const [typed, understood] of [
    ['1,500', '₹1,500.00'],
    ['12,50', '₹12.50'],
    ['0,750', '₹0.75'],
    ['1.249,00', '₹1,249.00'],
    ['1,24,900', '₹1,24,900.00'],
  ] as const) {
    await price.fill(typed);
    await expect(variant(page, 1).getByText(`Customers see ${understood}`)).toBeVisible();
  }
  // An ambiguous number isn't interpreted, and the error shows how to write it.
  await price.fill('2.500');
  await expect(variant(page, 1).getByText(/Customers see/)).toHaveCount(0);
  await field(page, 'Title').fill('Jug');
  await button(page, 'Save as draft').click();
  await expect(variant(page, 1).getByText(/could mean two different amounts/)).toBeVisible();
  await expect(price).toHaveValue('2.500');
});

test('unsaved input is not left by mistake', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `${products}/new`);
  await field(page, 'Title').fill('Half a thought');
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    return asked.length === 1 ? dialog.dismiss() : dialog.accept();
  });
  const orders = page.getByRole('navigation', { name: 'Seller dashboard' }).getByRole('link', { name: 'Orders' });
  await orders.click();
  await expect(field(page, 'Title')).toHaveValue('Half a thought');
  await orders.click();
  await arriveAt(page, 'Orders');
  expect(asked).toEqual(['confirm', 'confirm']);
});

test('a HEIC photo is rejected with advice, and one frame of an animation is kept with a notice', async ({ page, problems }) => {
  problems.allow(/status of 422/);
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `${products}/new`);
  const fixtures = fileURLToPath(new URL('../../server/gateways/fixtures/', import.meta.url));
  await field(page, 'Add images').setInputFiles([`${fixtures}phone.heic`, `${fixtures}animated.webp`]);
  await expect(main(page).locator('#pictures-error')).toContainText('phone.heic: HEIC photos aren’t supported');
  await expect(main(page).getByText('animated.webp is animated. Only its first frame is shown.')).toBeVisible();
  await pictures(page, 1);
});

test('images are put in order by keyboard, and a removed one comes back', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `${products}/new`);
  await field(page, 'Add images').setInputFiles([
    png('red.png', [181, 40, 30]),
    png('green.png', [41, 120, 60]),
    png('blue.png', [41, 60, 150]),
  ]);
  await pictures(page, 3);
  for (const [n, alt] of ['Red', 'Green', 'Blue'].entries()) await main(page).getByLabel('Alt text').nth(n).fill(alt);
  const order = () => main(page).getByLabel('Alt text').evaluateAll((all) => all.map((input) => (input as HTMLInputElement).value));
  await button(page, 'Move image 1 later').focus();
  await page.keyboard.press('Enter');
  expect(await order()).toEqual(['Green', 'Red', 'Blue']);
  await expect(main(page).getByRole('status').filter({ hasText: 'Image moved to position 2 of 3' })).toBeAttached();
  await expect(button(page, 'Move image 2 later')).toBeFocused();
  await page.keyboard.press('Enter');
  expect(await order()).toEqual(['Green', 'Blue', 'Red']);
  // At the end, the only way is back.
  await expect(button(page, 'Move image 3 earlier')).toBeFocused();
  await main(page).getByRole('button', { name: 'Remove image' }).nth(1).click();
  await pictures(page, 2);
  await expect(button(page, 'Undo')).toBeFocused();
  await page.keyboard.press('Enter');
  expect(await order()).toEqual(['Green', 'Blue', 'Red']);
  await main(page).locator('.picture-grip').nth(2).dragTo(main(page).locator('.picture-row').nth(0));
  expect(await order()).toEqual(['Red', 'Green', 'Blue']);
});

test('files are dropped and pasted', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `${products}/new`);
  const send = (kind: 'drop' | 'paste', name: string, bytes: Buffer) =>
    page.evaluate(
      ([kind, name, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type: 'image/png' }));
        const init = { bubbles: true, cancelable: true };
        const event =
          kind === 'drop'
            ? new DragEvent('drop', { ...init, dataTransfer: data })
            : new ClipboardEvent('paste', { ...init, clipboardData: data });
        document.querySelector('.drop-zone')!.dispatchEvent(event);
      },
      [kind, name, bytes.toString('base64')] as const,
    );
  await send('drop', 'one.png', png('one.png', [10, 90, 90]).buffer);
  await pictures(page, 1);
  await send('paste', 'two.png', png('two.png', [90, 10, 90]).buffer);
  await pictures(page, 2);
});

test('values become variants, which are changed at once and keep what was typed', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `${products}/new`);
  await variant(page, 1).getByLabel('Price (INR)', { exact: true }).fill('450');
  await variant(page, 1).getByLabel('SKU', { exact: true }).fill('CUP-RED');
  await button(page, 'Add option').click();
  await field(page, 'Option name').fill('Colour');
  for (const value of ['Red', 'Blue', 'red', 'Green']) {
    await field(page, 'Option values').fill(value);
    await field(page, 'Option values').press('Enter');
  }
  await expect(main(page).locator('fieldset.variant')).toHaveCount(3);
  await expect(variant(page, 1).getByLabel('SKU', { exact: true })).toHaveValue('CUP-RED');
  await expect(variant(page, 3).getByLabel('Price (INR)', { exact: true })).toHaveValue('450');
  await variant(page, 3).getByLabel('SKU', { exact: true }).fill('CUP-GREEN');

  await field(page, 'Select Variant 1').check();
  await field(page, 'Select Variant 3').check();
  const bulk = main(page).locator('.variant-bulk');
  await expect(bulk).toContainText('2 selected');
  await bulk.getByLabel('Stock').fill('12');
  await button(page, 'Apply to selected').click();
  for (const [n, stock] of [[1, '12'], [2, ''], [3, '12']] as const) {
    await expect(variant(page, n).getByLabel('Stock', { exact: true })).toHaveValue(stock);
  }

  await button(page, 'Remove Green').click();
  await expect(main(page).locator('fieldset.variant')).toHaveCount(2);
  await button(page, 'Undo').click();
  await expect(variant(page, 3).getByLabel('SKU', { exact: true })).toHaveValue('CUP-GREEN');
  await expect(variant(page, 3).getByLabel('Stock', { exact: true })).toHaveValue('12');
});

test('the search result preview follows the title', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `${products}/new`);
  await field(page, 'Title').fill('Salt cellar');
  await field(page, 'Description').fill('Holds a week of salt.');
  await expect(main(page).locator('.search-preview')).toContainText('Salt cellar');
  await expect(main(page).locator('.search-preview')).toContainText('Holds a week of salt.');
});
