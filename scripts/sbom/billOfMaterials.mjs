// Makes the software bill of materials (SBOM) of a bundle: CycloneDX, as JSON.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Factories, Utils } from '@cyclonedx/cyclonedx-library/Contrib/FromNodePackageJson';
import {
  ComponentType,
  HashAlgorithm,
  LicenseAcknowledgement,
  LifecyclePhase,
} from '@cyclonedx/cyclonedx-library/Enums';
import * as Models from '@cyclonedx/cyclonedx-library/Models';
import { JSON as JsonFormat, JsonSerializer } from '@cyclonedx/cyclonedx-library/Serialize';
import { SpecVersionDict, Version } from '@cyclonedx/cyclonedx-library/Spec';
import { debianChangelog } from '../deb/changelog.mjs';
import { librariesOf } from './libraries.mjs';

const NAME = 'thermal-provision';
export const SPEC_VERSION = Version.v1dot6;

/** The licence that a package declares, with its text. */
const licences = ({ id, text }) =>
  new Models.LicenseRepository([
    new Models.SpdxLicense(id, {
      acknowledgement: LicenseAcknowledgement.Declared,
      text: new Models.Attachment(text, { contentType: 'text/plain' }),
    }),
  ]);

/** The address of a package of npm. The parts of a scoped name are encoded: @clack/core → %40clack/core. */
const npmAddress = ({ name, version }) =>
  `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`;

function libraryComponent({ folder, manifest, integrity, licence }) {
  const [name, group] = manifest.name.split('/').reverse();
  const { author } = manifest;
  return new Models.Component(ComponentType.Library, name, {
    // Unique, unlike name and version: a package can be installed twice.
    bomRef: folder,
    purl: npmAddress(manifest),
    group,
    version: manifest.version,
    author: (typeof author === 'string' ? author : author?.name) || undefined,
    description: manifest.description || undefined,
    hashes: new Models.HashDictionary([Utils.parsePackageIntegrity(integrity)]),
    licenses: licences(licence),
    externalReferences: new Models.ExternalReferenceRepository(
      new Factories.ExternalReferenceFactory().makeExternalReferences(manifest),
    ),
  });
}

/** Node, if the package brings its own. Vulnerabilities of Node are published under its CPE. */
const nodeComponent = ({ version, binary, licence }) =>
  new Models.Component(ComponentType.Platform, 'node', {
    bomRef: `pkg:generic/node@${version}`,
    purl: `pkg:generic/node@${version}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    version,
    hashes: new Models.HashDictionary([[HashAlgorithm['SHA-256'], createHash('sha256').update(binary).digest('hex')]]),
    licenses: licences({ id: 'MIT', text: licence }),
  });

/** A UUID made from the content: the same content has the same number. Version 8 of RFC 9562. */
function contentUuid(content) {
  const hex = createHash('sha256').update(content).digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16], 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

/**
 * @param root the project's folder
 * @param metafile esbuild's metafile of the bundle
 * @param node what is shipped as Node, if anything: `version`, `binary` (a buffer), `licence` (text of Node's LICENSE)
 * @returns the SBOM, JSON; the same for the same content, version and SOURCE_DATE_EPOCH
 * @throws as `librariesOf`, and when a library can't be reached from the program in the graph of imports
 */
export async function billOfMaterials(root, metafile, { node } = {}) {
  const { description, version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
  const esbuild = JSON.parse(await readFile(`${root}node_modules/esbuild/package.json`, 'utf8'));
  const { libraries, imported } = await librariesOf(root, metafile);
  const { maintainer, seconds } = await debianChangelog(root);
  const components = new Map(libraries.map((library) => [library.folder, libraryComponent(library)]));
  const refs = (folders) => new Models.BomRefRepository(folders.map((folder) => components.get(folder).bomRef));
  for (const { folder, imports } of libraries) components.get(folder).dependencies = refs(imports);

  const purl = `pkg:generic/${NAME}@${version}`;
  const program = new Models.Component(ComponentType.Application, NAME, {
    bomRef: purl,
    purl,
    version,
    description,
    supplier: new Models.OrganizationalEntity({ name: maintainer.replace(/ <.*/, '') }),
    dependencies: refs(imported),
  });
  const all = [...components.values()];
  if (node !== undefined) {
    const runtime = nodeComponent(node);
    all.push(runtime);
    program.dependencies.add(runtime.bomRef);
  }
  const bom = new Models.Bom({
    metadata: new Models.Metadata({
      component: program,
      timestamp: new Date(seconds * 1000),
      lifecycles: new Models.LifecycleRepository([LifecyclePhase.Build]),
      tools: new Models.Tools({
        components: new Models.ComponentRepository([
          new Models.Component(ComponentType.Application, 'esbuild', {
            version: esbuild.version,
            purl: npmAddress(esbuild),
          }),
        ]),
      }),
    }),
    components: new Models.ComponentRepository(all),
  });
  // Not sorted by the library, which sorts as the locale does: the folders are sorted by their characters.
  const serializer = new JsonSerializer(new JsonFormat.Normalize.Factory(SpecVersionDict[SPEC_VERSION]));
  bom.serialNumber = `urn:uuid:${contentUuid(serializer.serialize(bom))}`;
  return `${serializer.serialize(bom, { space: 2 })}\n`;
}
