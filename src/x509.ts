/** The X.509 library, which is large: it is loaded only when it is needed, by `import()`. */

// The library needs this metadata API while it is loaded. A static import of this module would let the bundle evaluate
// the library first, in a part that several others share.
import 'reflect-metadata';

export {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
