// Checks a software bill of materials: the schema that CycloneDX publishes, and the licences.
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation';
import { SPEC_VERSION } from './billOfMaterials.mjs';

/** SPDX identifiers. A further one needs a decision of the owner: what it demands must be done in every package. */
const ALLOWED_LICENCES = {
  '0BSD': 'demands nothing',
  'Apache-2.0': 'its text and a NOTICE must come with the program; no library has a NOTICE',
  'BSD-2-Clause': 'its text must come with the program: copyright and SBOM have it',
  'BSD-3-Clause': 'as BSD-2-Clause, and no advertising with the names of the authors',
  ISC: 'as MIT',
  MIT: 'its text must come with the program: copyright and SBOM have it',
};

const isAllowed = ({ license }) => license?.id !== undefined && license.id in ALLOWED_LICENCES;

/** How many components can be reached from the program in the graph. */
function reached({ metadata, dependencies }) {
  const uses = new Map(dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
  const found = new Set([metadata.component['bom-ref']]);
  for (const ref of found) for (const next of uses.get(ref) ?? []) found.add(next);
  return found;
}

/**
 * @param text an SBOM, JSON
 * @returns what is wrong with it, a line each; empty if nothing is
 */
export async function problemsOf(text) {
  const violations = await new JsonStrictValidator(SPEC_VERSION).validate(text);
  if (violations !== null) {
    return violations.map(({ instancePath, message }) => `not CycloneDX ${SPEC_VERSION}: ${instancePath} ${message}`);
  }
  const bill = JSON.parse(text);
  const used = reached(bill);
  return bill.components.flatMap((component) => {
    const { 'bom-ref': ref, licenses = [], hashes = [] } = component;
    const named = licenses.map(({ license, expression }) => license?.id ?? license?.name ?? expression).join(', ');
    const texts = licenses.filter(({ license }) => license?.text !== undefined);
    return [
      ...(licenses.length > 0 && licenses.every(isAllowed)
        ? []
        : [`${ref}: its licence ${named || '(none)'} is not in the list of scripts/sbom/checkBill.mjs`]),
      ...(texts.length > 0 ? [] : [`${ref}: has no text of its licence`]),
      ...(hashes.length > 0 ? [] : [`${ref}: has no hash`]),
      ...(used.has(ref) ? [] : [`${ref}: nothing in the graph leads to it`]),
    ];
  });
}
