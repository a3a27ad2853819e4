// Runs in CloudFront for every request, before its cache.
//
// - S3 decodes a + in a path to a blank, and pkgin does not encode the + of gtk2+-2.24.tgz. This encodes it.
// - The page of a directory is its index.html. pkgsrc's directories of packages are called All; without a slash at the end, as in
//   pkgin's repositories.conf, a browser is redirected to the path with a slash, because the page's links are relative to that.
// - Names with a leading dot are hidden: the operator's decisions are kept in .indexer-state.
//
// (CloudFront Functions, runtime 2.0: one global function called handler; the URI is as the client sent it.)
function handler(event) {
  const request = event.request;
  if (/\/(\.|%2e)/i.test(request.uri)) return { statusCode: 404, statusDescription: 'Not Found' };
  if (/\/All$/.test(request.uri)) {
    const location = `https://${request.headers.host.value}${request.uri}/`;
    return { statusCode: 302, statusDescription: 'Found', headers: { location: { value: location } } };
  }
  request.uri = request.uri.replace(/\+/g, '%2B').replace(/\/$/, '/index.html');
  return request;
}
