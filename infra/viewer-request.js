// Runs at CloudFront's edge for every request, before its cache.
//
// - pkgin sends the + of gtk2+-2.24.tgz as it is, and S3 takes a + in a path for a blank: said as %2B it reaches the object that
//   was meant.
// - A directory is its index.html, which S3 does not know of. Directories of packages are called All by pkgsrc: without a slash at
//   the end, as pkgin has it in its repositories.conf, a browser is led to the one with it, since links are relative to that.
//
// (CloudFront Functions, runtime 2.0: one global function called handler; the URI is as the client sent it.)
function handler(event) {
  const request = event.request;
  if (/\/All$/.test(request.uri)) {
    const location = `https://${request.headers.host.value}${request.uri}/`;
    return { statusCode: 302, statusDescription: 'Found', headers: { location: { value: location } } };
  }
  request.uri = request.uri.replace(/\+/g, '%2B').replace(/\/$/, '/index.html');
  return request;
}
