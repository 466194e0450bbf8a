// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy tests the files for Kubernetes in deploy/: their parts decode as
// Kubernetes' own types, strictly, and agree with the image. With the chart and the
// custom resource definition at hand, it renders the one and checks against the other:
//
//	LEGATO_HELM_CHART=<.../charts/opentelemetry-collector> \
//	LEGATO_OPERATOR_CRD=<.../crd/bases/opentelemetry.io_opentelemetrycollectors.yaml> \
//	go -C packaging test ./deploy
//
// test/e2e validates the Collector's configurations in these files with the binary.
package deploy
