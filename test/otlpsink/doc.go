// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package otlpsink is an OTLP/HTTP backend for tests: it acknowledges traces, or
// refuses them for a while, and keeps the spans that came.
package otlpsink
