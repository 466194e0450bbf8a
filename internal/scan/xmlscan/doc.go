// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package xmlscan is a small strict XML 1.0 scanner over one document in memory.
//
// It exists because the job at hand, reading machine-written records of a few
// hundred bytes from a sender that may be hostile, fits neither encoding/xml
// (correct, but ten to twenty times the cost) nor the fast third-party
// tokenizers (none matches end tags). See docs/performance.md for figures.
//
// # What it accepts
//
// UTF-8 documents (with or without a byte order mark) made of elements,
// attributes, text, CDATA, comments and processing instructions. Start and end
// tags must match, attributes must be unique within their tag, references must
// be one of the five predefined entities or a legal character reference.
//
// # What it refuses
//
// DOCTYPE (so no entity can be declared), any declared encoding but UTF-8 or
// US-ASCII, characters outside XML's Char production, and documents above the
// caps of [Limits]. Namespaces are not resolved: "a:b" is a name like any other.
//
// # Ownership
//
// Names and values are substrings of the document wherever no reference had to
// be decoded. They stay valid as long as the document's bytes do not change;
// whoever keeps one alive keeps the whole document alive. A Scanner is not safe
// for concurrent use; Reset makes it ready for another document.
//
// # Testing
//
// The fuzz target holds it against encoding/xml: what it accepts, encoding/xml
// must accept with the same tokens.
package xmlscan
