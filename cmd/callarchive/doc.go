// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Command callarchive makes those changes to a call archive that the Collector does not
// make: it erases people, and keeps meetings beyond the retention.
//
//	callarchive -datasource data/calls.db erase -address nora@example.com -name "Nora Quill"
//	callarchive -datasource data/calls.db erase -address nora@example.com -pseudonym person-17 -write
//	callarchive -driver postgres -datasource postgres://legato@db/calls hold -reason "case 7" 81eec228890c5310c28f44fe626b0159
//	callarchive -datasource data/calls.db holds
//	callarchive -datasource data/calls.db release 81eec228890c5310c28f44fe626b0159
//
// It may run while a Collector writes to the archive. Without -write, erase prints the
// changes that it would make, and makes none.
package main
