// The life of a review: bought, delivered, written, shown, answered by the shop, reported and hidden; with and without JavaScript.
import { expect, test } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  audit,
  awake,
  beginCheckout,
  button,
  deliver,
  field,
  fillAddress,
  freshEmail,
  main,
  openProduct,
  operate,
  payInCash,
  refused,
  shopName,
  signIn,
  signUp,
  thanks,
  visit,
  withoutBrowserChecks,
} from '../helpers';

const SHOP = SHOPS[0];

test('a review is written, shown, answered, reported and hidden', async ({ page, visitor, market }) => {
  const [seller, reader, admin] = [await visitor(), await visitor(), await visitor()];
  await signUp(page, freshEmail());
  const name = await shopName(page, SHOP);
  await openProduct(page, SHOP);
  const product = new URL(page.url()).pathname;
  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payInCash(page);
  const { path, orders } = await thanks(page, [name]);
  await visit(page, path);
  await expect(main(page).getByRole('link', { name: /^Write a review/ })).toHaveCount(0);
  await signIn(seller, SELLERS[SHOP]);
  await deliver(seller, SHOP, orders[0]!.number);

  await visit(page, path);
  await main(page).getByRole('link', { name: /^Write a review/ }).click();
  await arriveAt(page, 'Write a review');
  await awake(page);
  await audit(page);
  await withoutBrowserChecks(page);
  await field(page, 'Title (optional)').fill('Kept <b>safe</b>');
  await button(page, 'Publish review').click();
  await expect(main(page)).toContainText('Rating');
  await awake(page);
  await expect(field(page, 'Title (optional)')).toHaveValue('Kept <b>safe</b>');
  await audit(page);
  await withoutBrowserChecks(page);
  await field(page, 'Review (optional)').fill('x'.repeat(4_001));
  await main(page).getByRole('radio', { name: '4 stars' }).check();
  await button(page, 'Publish review').click();
  await refused(field(page, 'Review (optional)'));
  await awake(page);
  await expect(main(page).getByRole('radio', { name: '4 stars' })).toBeChecked();
  await field(page, 'Review (optional)').fill('A fine glaze.\nIt <script>alert(1)</script> holds tea.');
  await button(page, 'Publish review').click();
  await expect(main(page)).toContainText('Your review is published.');
  await awake(page);

  await visit(page, product);
  const reviews = main(page).locator('#reviews');
  await expect(reviews).toContainText('4.0 out of 5');
  await expect(reviews).toContainText('Kept <b>safe</b>');
  await expect(reviews).toContainText('It <script>alert(1)</script> holds tea.');
  await expect(reviews).toContainText('Verified purchase');
  await expect(reviews).toContainText('Asha Rao');
  await expect(reviews.getByRole('button')).toHaveCount(0);
  const facts = await page.locator('script[type="application/ld+json"]').allTextContents();
  expect(facts.join()).toContain('"ratingValue":"4.0"');
  await audit(page);

  await visit(seller, `/seller/${SHOP}/reviews`);
  await expect(main(seller)).toContainText('Kept <b>safe</b>');
  await main(seller).locator('summary', { hasText: 'Reply' }).click();
  await field(seller, 'Reply').fill('Thank you, Asha!');
  await audit(seller);
  await button(seller, 'Publish reply').click();
  await expect(main(seller)).toContainText('Your reply is published.');
  await awake(seller);

  await visit(page, path);
  await main(page).getByRole('link', { name: /^Edit your review/ }).click();
  await arriveAt(page, 'Edit your review');
  await awake(page);
  await main(page).getByRole('radio', { name: '5 stars' }).check();
  await main(page).getByRole('checkbox', { name: /^Don’t show my name/ }).check();
  await button(page, 'Save changes').click();
  await expect(main(page)).toContainText('Your review is published.');

  await signUp(reader, freshEmail());
  await visit(reader, product);
  const read = main(reader).locator('#reviews');
  await expect(read).toContainText('5.0 out of 5');
  await expect(read).toContainText('A shopper');
  await expect(read).not.toContainText('Asha Rao');
  await expect(read).toContainText('Thank you, Asha!');
  await audit(reader);
  await read.getByRole('button', { name: /^Helpful/ }).click();
  await expect(read).toContainText('1 person found this helpful');
  await awake(reader);
  await read.locator('summary', { hasText: 'Report' }).click();
  await read.getByLabel('Reason').selectOption('Something else');
  await read.getByLabel('What happened? (optional)').fill('Names a person');
  await audit(reader);
  await read.getByRole('button', { name: 'Send report' }).click();
  await expect(read).toContainText('We’ll look at this review.');

  await operate(market, admin);
  await visit(admin, '/admin/reviews?state=reported');
  await expect(main(admin)).toContainText('Names a person');
  await main(admin).locator('tbody summary').first().click();
  await button(admin, 'Hide').first().click();
  await expect(main(admin)).toContainText('Names a person');
  await awake(admin);
  await audit(admin);
  await field(admin, 'Reason').first().fill('It names a person.');
  await button(admin, 'Hide').first().click();
  await expect(main(admin)).toContainText('The review is hidden.');

  await visit(reader, product);
  await expect(main(reader).locator('#reviews')).toContainText('No reviews yet.');
  await visit(page, path);
  await main(page).getByRole('link', { name: /^Edit your review/ }).click();
  await expect(main(page)).toContainText('It names a person.');
  await awake(page);
  await audit(page);
  await main(page).locator('summary', { hasText: 'Delete review' }).click();
  await button(page, 'Delete review').click();
  await expect(main(page)).toContainText('Your review was deleted.');
});
