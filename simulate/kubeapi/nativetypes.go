package kubeapi

import (
	"fmt"
	"sync"

	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	events "k8s.io/api/events/v1"
	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// nativeTypes are the Go types of the kinds of Kubernetes itself. They are known
// for what clients do with those kinds only: send protobuf, and patches that
// merge lists by the keys that the types name.
var nativeTypes = sync.OnceValue(func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		core.AddToScheme, coordination.AddToScheme, events.AddToScheme, storage.AddToScheme, authorization.AddToScheme, authentication.AddToScheme,
	} {
		if err := add(scheme); err != nil { // the same types as ever
			panic(err)
		}
	}
	return scheme
})

const protobufMedia = "application/vnd.kubernetes.protobuf"

// fromProtobuf decodes a body as client-go's typed clients send it.
func fromProtobuf(body []byte) (map[string]any, error) {
	types := nativeTypes()
	o, gvk, err := protobuf.NewSerializer(types, types).Decode(body, nil, nil)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized: %v", err))
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized: %v", err))
	}
	content["apiVersion"], content["kind"] = gvk.GroupVersion().String(), gvk.Kind
	return content, nil
}

// strategicPatch makes of content what a strategic merge patch says, for a kind
// of Kubernetes itself.
func strategicPatch(gvk schema.GroupVersionKind, content, patch map[string]any) (map[string]any, error) {
	typed, err := nativeTypes().New(gvk)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("a strategic merge patch needs a type that is known: %v", err))
	}
	shape, err := strategicpatch.NewPatchMetaFromStruct(typed)
	if err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("reading the type of %s: %w", gvk, err))
	}
	// The patch is merged into what it is given, which is shared.
	own, patch := runtime.DeepCopyJSON(content), runtime.DeepCopyJSON(patch)
	out, err := strategicpatch.StrategicMergeMapPatchUsingLookupPatchMeta(own, patch, shape)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return out, nil
}
