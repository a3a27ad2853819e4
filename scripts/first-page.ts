/** README.txt of a directory that `npm start` makes; the directory page shows it. */
export const firstPage = `Welcome to a pkgsrc package repository.

Put packages into All, by copying them there or over HTTP:

    cp PACKAGE.tgz repository/All/
    curl -T PACKAGE.tgz http://127.0.0.1:8080/All/

Two seconds later its index, All/pkg_summary.gz and All/pkg_summary.zst, has them. To let pkgin use the repository, put into its
repositories.conf:

    http://127.0.0.1:8080/All

Any directory below this one that holds packages is a repository of its own. What is in the indexes, and what is not and why:

    npm run -s indexer -- status repository
    npm run -s indexer -- explain repository/All/PACKAGE.tgz

and live, with a button for another try, at http://127.0.0.1:8080/-/

This text is README.txt; change it, or remove it, as you like.
`;
