// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package legato is the root of the project and holds no code: the components are below
// receiver, processor, connector and exporter; their shared packages are below internal. Its
// tests hold the rules of the repository.
package legato
