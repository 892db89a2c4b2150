// The service worker: shows notifications that arrive while no page of the market is open. It keeps nothing.
addEventListener('push', (event) => {
  const { id, title, text, path } = event.data.json();
  const options = { body: text, tag: id, data: path, icon: '/favicon.svg' };
  event.waitUntil(registration.showNotification(title, options));
});

addEventListener('notificationclick', (event) => {
  event.notification.close();
  const url = new URL(event.notification.data, location.origin);
  // Never to another site.
  if (url.origin !== location.origin) return;
  event.waitUntil(
    (async () => {
      const windows = await clients.matchAll({ type: 'window' });
      const open = windows.find((client) => new URL(client.url).pathname === url.pathname);
      return open ? open.focus() : clients.openWindow(url);
    })(),
  );
});
