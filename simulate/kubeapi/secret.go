package kubeapi

import (
	"encoding/base64"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func (t *table) isSecret() bool { return t.Group == "" && t.Kind.Kind == "Secret" }

// foldStringData moves what a Secret says in the clear to where it is kept
// encoded, as an API server does with every Secret that it is sent.
func foldStringData(u *unstructured.Unstructured) error {
	clear, given := u.Object["stringData"].(map[string]any)
	if !given {
		return nil
	}
	delete(u.Object, "stringData")
	data, _ := u.Object["data"].(map[string]any)
	folded := make(map[string]any, len(data)+len(clear))
	maps.Copy(folded, data)
	for key, value := range clear {
		s, ok := value.(string)
		if !ok {
			return apierrors.NewBadRequest(fmt.Sprintf("stringData of a Secret holds no string at key %q", key))
		}
		folded[key] = base64.StdEncoding.EncodeToString([]byte(s))
	}
	u.Object["data"] = folded
	return nil
}
