// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// repository names the image in the archive of `docker load`.
const repository = "legato"

// Write puts into the directory, for each image, the archive that `docker load` reads
// and the file system for deploy/Dockerfile; and oci, an OCI layout of one index with
// all of them. It returns the index's digest.
func Write(directory, version string, images []*Image) (digest v1.Hash, err error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, i := range images {
		config, err := i.ConfigFile()
		if err != nil {
			return v1.Hash{}, err
		}
		if err := writeOne(directory, version, config.Architecture, i); err != nil {
			return v1.Hash{}, fmt.Errorf("image for %s: %w", config.Architecture, err)
		}
		platform := &v1.Platform{OS: config.OS, Architecture: config.Architecture}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: i.Image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	path, err := layout.Write(filepath.Join(directory, "oci"), empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	annotations := map[string]string{"org.opencontainers.image.ref.name": version}
	if err := path.AppendIndex(index, layout.WithAnnotations(annotations)); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

func writeOne(directory, version, architecture string, i *Image) error {
	tag, err := name.NewTag(repository + ":" + version)
	if err != nil {
		return err
	}
	if err := tarball.WriteToFile(filepath.Join(directory, fmt.Sprintf("legato_%s_linux_%s.docker.tar", version, architecture)), tag, i.Image); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "rootfs_"+architecture+".tar"), i.Root, 0o600)
}
