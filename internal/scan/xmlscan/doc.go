// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package xmlscan is a small strict XML 1.0 scanner over one document in memory.
//
// Receivers read machine-written records of a few hundred bytes from senders that
// may be hostile. encoding/xml is correct but costs ten to twenty times as much, and
// the fast third-party tokenizers do not match end tags. docs/performance.md has the
// figures.
//
// # Accepted documents
//
// UTF-8 documents, with or without a byte order mark, of elements, attributes, text,
// CDATA, comments and processing instructions. Start and end tags must match,
// attributes must be unique within their tag, references must be one of the five
// predefined entities or a legal character reference.
//
// # Rejected documents
//
// DOCTYPE (so no entity can be declared), a declared encoding other than UTF-8 or
// US-ASCII, characters outside XML's Char production, and documents above [Limits].
// Namespaces are not resolved: "a:b" is a name like any other.
//
// # Ownership
//
// Names and values are substrings of the document unless a reference had to be
// decoded. They are valid as long as the document's bytes do not change, and each
// keeps the whole document in memory. A Scanner never blocks and is not safe for
// concurrent use; Reset prepares it for another document.
//
// # Testing
//
// The fuzz target compares it with encoding/xml, which must accept the same tokens
// of every accepted document.
package xmlscan
