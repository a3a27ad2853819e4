// Runs at CloudFront's edge for every request, before its cache. pkgin sends the + of gtk2+-2.24.tgz as it is, and S3 takes a
// + in a path for a blank: said as %2B it reaches the object that was meant.
// (CloudFront Functions, runtime 2.0: one global function called handler; the URI is as the client sent it.)
function handler(event) {
  const request = event.request;
  request.uri = request.uri.replace(/\+/g, '%2B');
  return request;
}
