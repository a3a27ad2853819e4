/*
 * What reading packages costs in C, without making records of them: the reference of `npm run bench -- reference`.
 *
 * For each path on standard input, libarchive decompresses the package from its beginning and reads all metadata files, up to the first
 * entry that is none. Standard output gets the size of each, and the texts that become a part of the record: about as much as a record.
 * pkg_info(1) reads packages by the same library, in the same blocks of 64 KiB.
 *
 *   cc -O2 -o libarchive-head libarchive-head.c -larchive
 *   find All -name '*.tgz' | ./libarchive-head | gzip -9 > texts.gz
 */

#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { blockBytes = 65536 };

static bool isMetadata(struct archive_entry *entry) {
  const char *name = archive_entry_pathname(entry);
  return name != NULL && name[0] == '+' && archive_entry_filetype(entry) == AE_IFREG;
}

static bool isText(const char *name) {
  return strcmp(name, "+COMMENT") == 0 || strcmp(name, "+DESC") == 0;
}

static int readContent(struct archive *package, struct archive_entry *entry) {
  char block[blockBytes];
  la_ssize_t bytes;
  const char *name = archive_entry_pathname(entry);
  printf("%s=%lld\n", name, (long long)archive_entry_size(entry));
  while ((bytes = archive_read_data(package, block, sizeof block)) > 0) {
    if (isText(name)) fwrite(block, 1, (size_t)bytes, stdout);
  }
  return bytes < 0 ? ARCHIVE_FATAL : ARCHIVE_OK;
}

static int readPackage(const char *path) {
  struct archive_entry *entry;
  struct archive *package = archive_read_new();
  if (package == NULL) return ARCHIVE_FATAL;
  archive_read_support_filter_all(package);
  archive_read_support_format_all(package);
  int status = archive_read_open_filename(package, path, blockBytes);
  while (status == ARCHIVE_OK) {
    status = archive_read_next_header(package, &entry);
    if (status != ARCHIVE_OK || !isMetadata(entry)) break;
    status = readContent(package, entry);
  }
  if (status < ARCHIVE_OK) fprintf(stderr, "%s: %s\n", path, archive_error_string(package));
  archive_read_free(package);
  return status < ARCHIVE_OK ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(void) {
  char path[PATH_MAX];
  int status = EXIT_SUCCESS;
  while (fgets(path, sizeof path, stdin) != NULL) {
    path[strcspn(path, "\n")] = '\0';
    if (readPackage(path) != EXIT_SUCCESS) status = EXIT_FAILURE;
  }
  return ferror(stdout) || fflush(stdout) != 0 ? EXIT_FAILURE : status;
}
